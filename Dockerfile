# hbot-triage as an image: the locked dependencies, the package, docker and compose clients; no demo, no build tools.
# Runs as an ordinary user, and with a read-only root: only /app/var is written to, and /tmp (a tmpfs will do).

# A release is built with BASE_IMAGE=python:3.11-slim-trixie@sha256:… (make release refuses one without a digest): a tag
# can be moved, a digest cannot. Without it, as for a build of one's own, the tag decides.
ARG BASE_IMAGE=python:3.11-slim-trixie

FROM ${BASE_IMAGE} AS build
WORKDIR /src
RUN python -m venv /opt/venv
# Another index: --build-arg PIP_INDEX_URL=… Where none can be reached, wheels fetched elsewhere, in the folder wheels/:
#   pip download --only-binary :all: --no-deps --require-hashes -r requirements/run.txt -d wheels
#   docker build --build-arg PIP_NO_INDEX=1 .
# The locked hashes are asked for either way.
ARG PIP_INDEX_URL
ARG PIP_NO_INDEX
COPY requirements/run.txt wheel[s] requirements/
RUN /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --find-links requirements \
    --require-hashes -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY triage triage
COPY handlers handlers
COPY schedules schedules
COPY bot bot
# What installs is taken out again: nothing here runs it, and scanners find faults in it.
RUN /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation --no-index . \
    && /opt/venv/bin/pip uninstall --quiet --yes setuptools pip

FROM ${BASE_IMAGE}
# /app/var may be written by whichever user the container is given: the one who owns the desk's folder.
# The agent keeps its record below /var/lib/hbot-triage, and listens in /run/hbot-triage.
# The clients that actions call: in the agent's container alone is there a way to the Engine. A base that brings them is
# taken as it is, without a package source. The last `docker compose version` fails the build where the distribution's
# package does not bring the plugin that desk.yaml's default command calls.
# The base's own pip goes too, where it has one that may be taken out.
RUN if ! docker compose version; then \
        apt-get update \
        && apt-get install -y --no-install-recommends docker-cli docker-compose \
        && rm -rf /var/lib/apt/lists/*; \
    fi \
    && docker compose version \
    && rm -rf "$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')/ensurepip" \
    && { python3 -m pip uninstall --quiet --yes --root-user-action=ignore wheel setuptools pip || true; } \
    && useradd --uid 10001 --no-create-home --home-dir /app --shell /usr/sbin/nologin triage \
    && install -d -m 1777 /app/var /var/lib/hbot-triage /run/hbot-triage
COPY --from=build /opt/venv /opt/venv
# Everything as bytecode without docstrings, Python's own modules too: see WITHOUT_DOCSTRINGS in bot/cli.py. A file that is no program
# for this Python, as tests may be, is left out.
RUN /opt/venv/bin/python -OO -X no_debug_ranges -m compileall -q -x '/tests?/' \
        "$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" /opt/venv/lib || true
WORKDIR /app
USER triage
# Compose's own state goes where writing is possible.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    TRIAGE_LISTEN=0.0.0.0:8085
VOLUME /app/var
EXPOSE 8085
STOPSIGNAL SIGTERM
# /livez says whether the process does its work; whether the desk's servers answer is /readyz, and no reason to restart.
# With -OO it finds Python's modules compiled: else each look would compile 60 files, five times the processor time.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-OO", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8085/livez', timeout=4)"]
ENTRYPOINT ["hbot-triage"]
CMD ["run"]
