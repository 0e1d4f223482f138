"""The Docker Engine API of the simulated host, on a unix socket and, where asked, on a loopback port."""

import asyncio
import io
import json
import tarfile
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from demo.desk import docker_events, docker_views
from demo.desk.container import Container
from demo.desk.docker_answers import Missing, as_json, passes, problem, read_body
from demo.desk.docker_exec import MULTIPLEXED, RAW, STDOUT, Executions, frame, upgraded
from demo.desk.engine import EngineError

if TYPE_CHECKING:
    from demo.desk.world_state import WorldState

API_VERSION, ENGINE_VERSION = "1.47", "27.3.1"
HEADERS = {"Api-Version": API_VERSION, "Ostype": "linux", "Server": f"Docker/{ENGINE_VERSION} (linux)"}


class DockerApi:
    """Serves one world. ``before`` is called ahead of every request, so that the world is up to date."""

    def __init__(self, world: "WorldState", before: Callable[[], None] = lambda: None) -> None:
        self._world, self._engine, self._before = world, world.engine, before
        self._executions = Executions(world)
        self._runner: web.AppRunner | None = None
        self._stopping = asyncio.Event()

    async def start(self, socket: Path, port: int | None = None) -> int | None:
        """Listen on the socket, and on a loopback port when one is given (0: a free one), and return that."""
        application = web.Application(middlewares=[self._guard()])
        for prefix in ("", r"/v{version:1\.\d+}"):
            application.add_routes(self._routes(prefix))
        self._stopping.clear()
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.UnixSite(self._runner, str(socket)).start()
        if port is None:
            return None
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        return int(self._runner.addresses[-1][1])

    async def stop(self) -> None:
        """Close the socket and every stream."""
        self._stopping.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _routes(self, prefix: str) -> list[web.RouteDef]:
        one = f"{prefix}/containers/{{id}}"
        execution = f"{prefix}/exec/{{id}}"
        return [
            web.get(f"{prefix}/_ping", self._ping),
            web.get(f"{prefix}/version", self._version),
            web.get(f"{prefix}/info", self._info),
            web.get(f"{prefix}/events", self._events),
            web.get(f"{prefix}/containers/json", self._list),
            web.get(f"{one}/json", self._inspect),
            web.get(f"{one}/logs", self._logs),
            web.get(f"{one}/stats", self._stats),
            web.get(f"{one}/archive", self._archive),
            web.post(f"{one}/exec", self._exec),
            web.post(f"{one}/{{verb:start|stop|restart|kill}}", self._drive),
            web.delete(one, self._remove),
            web.post(f"{execution}/start", self._exec_start),
            web.get(f"{execution}/json", self._exec_inspect),
            web.get(f"{prefix}/images/json", self._images),
            web.get(f"{prefix}/images/{{name:.+}}/json", self._image),
            web.post(f"{prefix}/images/create", self._pull),
        ]

    def _guard(self) -> Middleware:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            self._before()
            try:
                response = await handler(request)
            except Missing as error:
                response = problem(404, str(error))
            except EngineError as error:
                response = problem(409, str(error))
            except ValueError as error:
                response = problem(400, str(error))
            except web.HTTPNotFound:
                response = problem(404, "page not found")
            if not response.prepared:
                response.headers.update(HEADERS)
            return response

        return guard

    def _container(self, request: web.Request) -> Container:
        reference = request.match_info["id"]
        found = self._engine.find(reference)
        if found is None:
            raise Missing(f"No such container: {reference}")
        return found

    async def _ping(self, request: web.Request) -> web.Response:
        return web.Response(text="" if request.method == "HEAD" else "OK")

    async def _version(self, _: web.Request) -> web.Response:
        about = {"Version": ENGINE_VERSION, "ApiVersion": API_VERSION, "MinAPIVersion": "1.24"}
        return as_json({**about, "Os": "linux", "Arch": "amd64", "KernelVersion": "6.1.0"})

    async def _info(self, _: web.Request) -> web.Response:
        containers = list(self._engine.containers.values())
        running = sum(one.running for one in containers)
        counts = {
            "Containers": len(containers),
            "ContainersRunning": running,
            "Images": len(self._engine.images),
        }
        about = {"Name": "hbot-host", "ServerVersion": ENGINE_VERSION, "NCPU": 4, "MemTotal": 16 * 1024**3}
        return as_json({**counts, **about, "ID": "hbot", "OperatingSystem": "simulated desk"})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        return await docker_events.stream(request, self._engine, self._stopping)

    async def _list(self, request: web.Request) -> web.Response:
        everything = request.query.get("all", "") in {"1", "true", "True"}
        wanted = docker_events.filters(request)
        found = [
            docker_views.listed(one, self._engine)
            for one in self._engine.containers.values()
            if (everything or "status" in wanted or one.status in {"running", "restarting"})
            and passes(one, wanted)
        ]
        return as_json(found)

    async def _inspect(self, request: web.Request) -> web.Response:
        return as_json(docker_views.inspected(self._container(request), self._engine))

    async def _drive(self, request: web.Request) -> web.Response:
        container, verb = self._container(request), request.match_info["verb"]
        if (verb == "start" and container.running) or (verb == "stop" and not container.running):
            if verb == "stop":
                self._engine.stop(container)
            return web.Response(status=304)
        match verb:
            case "start":
                self._engine.start(container)
            case "stop":
                self._engine.stop(container)
            case "restart":
                self._engine.restart(container)
            case _:
                self._engine.kill(container, request.query.get("signal", "SIGKILL"))
        return web.Response(status=204)

    async def _remove(self, request: web.Request) -> web.Response:
        force = request.query.get("force", "") in {"1", "true"}
        self._engine.remove(self._container(request), force=force)
        return web.Response(status=204)

    async def _exec(self, request: web.Request) -> web.Response:
        container = self._container(request)
        if not container.running:
            raise EngineError(f"container {container.id} is not running")
        return as_json({"Id": self._executions.create(container, await read_body(request))}, status=201)

    async def _exec_start(self, request: web.Request) -> web.StreamResponse:
        execution = self._executions.find(request.match_info["id"])
        if execution is None:
            raise Missing(f"No such exec instance: {request.match_info['id']}")
        body = await read_body(request)
        data = self._executions.run(execution)
        if body.get("Detach"):
            return web.Response()
        kind = RAW if execution.tty else MULTIPLEXED
        if request.headers.get("Upgrade", "").lower() == "tcp":
            return upgraded(request, kind, data)
        return web.Response(body=data, content_type=kind)

    async def _exec_inspect(self, request: web.Request) -> web.Response:
        execution = self._executions.find(request.match_info["id"])
        if execution is None:
            raise Missing(f"No such exec instance: {request.match_info['id']}")
        config = {
            "entrypoint": execution.command[0],
            "arguments": execution.command[1:],
            "tty": execution.tty,
        }
        state = {"Running": False, "ExitCode": execution.exit_code, "ContainerID": execution.container.id}
        return as_json({"ID": request.match_info["id"], **state, "ProcessConfig": config})

    async def _logs(self, request: web.Request) -> web.Response:
        container, tail = self._container(request), request.query.get("tail", "all")
        since = float(request.query.get("since") or 0)
        lines = [(at, text) for at, text in container.output if at >= since]
        lines = lines[-int(tail) :] if tail.isdigit() and int(tail) else ([] if tail == "0" else lines)
        stamped = request.query.get("timestamps", "") in {"1", "true"}
        texts = [f"{docker_views.rfc3339(at)} {text}\n" if stamped else f"{text}\n" for at, text in lines]
        if container.spec.tty:
            return web.Response(body="".join(texts).encode(), content_type=RAW)
        return web.Response(body=b"".join(frame(STDOUT, text) for text in texts), content_type=MULTIPLEXED)

    async def _stats(self, request: web.Request) -> web.Response:
        system = sum(self._world.host.cpu_seconds.values())
        return as_json(docker_views.stats(self._container(request), self._world.clock.now(), system))

    async def _archive(self, request: web.Request) -> web.Response:
        container, path = self._container(request), request.query.get("path", "")
        target = self._world.layout.container_path(container.spec.name, path)
        if target is None or not target.exists():
            raise Missing(f"Could not find the file {path} in container {container.name}")
        known = target.stat()
        about = {"name": target.name, "size": known.st_size, "mtime": docker_views.rfc3339(known.st_mtime)}
        stat = b64encode(json.dumps({**about, "mode": known.st_mode, "linkTarget": ""}).encode()).decode()
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w") as archive:
            archive.add(target, arcname=target.name)
        headers = {"X-Docker-Container-Path-Stat": stat}
        return web.Response(body=raw.getvalue(), content_type="application/x-tar", headers=headers)

    async def _images(self, request: web.Request) -> web.Response:
        wanted = docker_events.filters(request).get("reference", [])
        engine = self._engine
        shown = [
            docker_views.image(one, engine.born)
            for one in engine.images.values()
            if not wanted
            or any(one.reference == name or one.reference.rpartition(":")[0] == name for name in wanted)
        ]
        return as_json(shown)

    async def _image(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        found = next((one for one in self._engine.images.values() if name in {one.reference, one.id}), None)
        if found is None:
            raise Missing(f"No such image: {name}")
        shown = docker_views.image(found, self._engine.born)
        created = docker_views.rfc3339(found.created_at(self._engine.born))
        return as_json({**shown, "Created": created, "Os": "linux", "Architecture": "amd64", "Config": {}})

    async def _pull(self, request: web.Request) -> web.Response:
        reference = f"{request.query.get('fromImage', '')}:{request.query.get('tag', 'latest')}"
        try:
            self._engine.pull(reference)
        except EngineError as error:
            raise Missing(str(error)) from error
        return web.Response(
            text=json.dumps({"status": f"Status: Image is up to date for {reference}"}) + "\n"
        )
