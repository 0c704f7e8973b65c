"""Temporal's own command line, as people call it."""

import asyncio
from dataclasses import dataclass

from starter.services import binary

# Each call is a process, and this machine may be small.
CALLS_AT_ONCE = 4


@dataclass
class CommandLine:
    """`temporal`, as a person calls it."""

    address: str

    def __post_init__(self) -> None:
        self._calls = asyncio.Semaphore(CALLS_AT_ONCE)

    async def signal(self, set_id: str, name: str, *arguments: str) -> None:
        code, said = await self.run("workflow", "signal", "--workflow-id", set_id, "--name", name, *arguments)
        assert code == 0, said

    async def update(self, set_id: str, name: str, *arguments: str) -> tuple[int, str]:
        return await self.run("workflow", "update", "execute", "-w", set_id, "--name", name, *arguments)

    async def run(self, *arguments: str) -> tuple[int, str]:
        """Its exit code and all that it said."""
        async with self._calls:
            process = await asyncio.create_subprocess_exec(
                *(binary("temporal"), *arguments, "--address", self.address, "--color", "never"),
                *("--disable-config-env", "--disable-config-file"),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            output, _ = await process.communicate()
        return process.returncode or 0, output.decode()
