"""Running roles: a role's process, all roles on one machine, the embedded broker, logs and health."""
