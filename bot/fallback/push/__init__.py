"""A push service, as ntfy is one."""
