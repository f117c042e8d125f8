"""Control groups: limits on memory, time and threads for a part of a job."""

import os
import time

from .rows import Skip


class Group:
    """One group below the root, of version 1 or 2, for the length of a `with`."""

    def __init__(self, lab, controller):
        self.name = f"icp-faults-{os.getpid()}-{lab.number}"
        old = f"/sys/fs/cgroup/{controller}"
        self.is_v1 = os.path.isdir(old) and not os.path.exists("/sys/fs/cgroup/cgroup.controllers")
        self.path = f"{old if self.is_v1 else '/sys/fs/cgroup'}/{self.name}"

    def __enter__(self):
        try:
            os.mkdir(self.path)
        except OSError as error:
            raise Skip(f"no control group can be made: {error}") from error
        return self

    def set(self, *v1, v2):
        for name, value in v1 if self.is_v1 else [v2]:
            try:
                with open(f"{self.path}/{name}", "w") as file:
                    file.write(value)
            except OSError as error:
                self.__exit__()
                raise Skip(f"this control group has no {name}: {error}") from error

    @property
    def processes(self):
        return f"{self.path}/cgroup.procs"

    def __exit__(self, *_):
        for _ in range(100):  # until the last process in it is gone
            try:
                os.rmdir(self.path)
                return
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.05)
