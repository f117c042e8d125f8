"""A row's place of work: a folder, programs started in it under a mark, and what must hold after each of them."""

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import time
import uuid

from . import checkpoints
from .processes import Family, Job
from .rows import Skip, Wrong

# 20 steps, an instant each: for faults that come by count.
TINY = """\
data: {format: glyphs, limit: 70, test_limit: 20, size: 12}
model: {kind: mlp, hidden: [32]}
training: {epochs: 4, batch_size: 16, shards: 5}
icp: {steps: 2}
distillation: {warmup: 0}
checkpoint: {keep: 3, every_steps: 2}
logging: {every_steps: 1}
"""
# 100 steps of some 20 ms on one core: for faults that come at a moment. The refinement takes the time, the files stay small.
STEADY = TINY.replace("epochs: 4", "epochs: 20").replace("steps: 2}\nd", "steps: 2500}\nd").replace(
    "every_steps: 2", "every_steps: 5")
# 10 steps in two epochs, after each an evaluation of seconds: for faults that come while a run measures.
MEASURING = """\
data: {format: glyphs, limit: 117, test_limit: 20000, classes: [0, 1, 2, 3, 4, 5]}
model: {kind: resnet8}
training: {epochs: 2, batch_size: 16, shards: 5}
icp: {steps: 2}
distillation: {warmup: 0}
checkpoint: {keep: 3}
logging: {every_steps: 1}
"""
CONFIGURATIONS = {"tiny": (TINY, 20), "steady": (STEADY, 100), "measuring": (MEASURING, 10)}

root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
icp = os.environ.get("ICP_PROGRAM") or f"{root}/.build/release/icp"
# The same program with the injector linked in.
faulty = os.environ.get("ICP_PROGRAM") or f"{root}/.build/release/icp-faulty"
never_seen = re.compile(r"Fatal error|Program crashed|Current stack trace|Precondition failed")


class Lab:
    references = {}

    def __init__(self, number, scratch):
        self.number, self.born = number, time.monotonic()
        self.folder = f"{scratch}/row{number}"
        self.memory = f"/dev/shm/icp-faults-{os.getpid()}-{number}"
        self.family = Family(uuid.uuid4().hex)
        self.wrong, self.lost, self.slowest = [], None, None
        self.undo = contextlib.ExitStack()
        self.jobs = 0
        for folder in (self.folder, self.memory, self.path("t")):
            os.makedirs(folder)
        for name, (text, _) in CONFIGURATIONS.items():
            self.write(f"{name}.yaml", text)

    # Files

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, name, data, executable=False):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb" if isinstance(data, bytes) else "w") as file:
            file.write(data)
        if executable:
            os.chmod(path, 0o755)
        return path

    # Programs

    def environment(self, more=()):
        """Open MPI as root, in a container and on few cores; its files in the row's own places, so that what stays is ours."""
        return {
            **os.environ, "ICP_FAULTS": self.family.mark, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
            "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
            "OMPI_MCA_btl_vader_single_copy_mechanism": "none", "OMPI_MCA_smsc": "^cma",
            "OMPI_MCA_mpi_yield_when_idle": "1",
            "OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_MCA_hwloc_base_binding_policy": "none",
            "PRTE_MCA_rmaps_default_mapping_policy": "slot:oversubscribe", "PRTE_MCA_hwloc_default_binding_policy": "none",
            "OMPI_MCA_btl_vader_backing_directory": self.memory, "OMPI_MCA_btl_sm_backing_directory": self.memory,
            "TMPDIR": self.path("t"), **dict(more)}

    def start(self, command, environment=()):
        self.jobs += 1
        return Job([str(word) for word in command], self.environment(environment), self.folder,
                   self.path(f"output-{self.jobs}"), self.path(f"error-{self.jobs}"))

    def run(self, command, environment=(), limit=60):
        job = self.start(command, environment)
        if job.wait(limit) is None:
            self.family.kill()
            job.wait(5)
            raise Wrong(f"HUNG: still running after {limit} s: {' '.join(job.command)[-200:]}")
        return job

    def command(self, run="run", config="tiny", ranks=None, resume=None, fault=None, settings=(), program=None,
                before=()):
        """`icp train`, alone or under mpirun; `before` comes before all of it."""
        words = [program or (faulty if fault else icp), "train", f"{config}.yaml", "--run-dir", run]
        words += ["--resume", resume] if resume else []
        words += ["--fault", fault] if fault else []
        for setting in settings:
            words += ["--set", setting]
        return [*before, *(["mpirun", "-n", ranks] if ranks else []), *words]

    def train(self, *arguments, environment=(), limit=60, **options):
        if options.get("fault"):
            self.needs_injector()
        return self.run(self.command(*arguments, **options), environment, limit)

    def start_train(self, *arguments, environment=(), **options):
        if options.get("fault"):
            self.needs_injector()
        return self.start(self.command(*arguments, **options), environment)

    def inspect(self, path):
        return self.run([icp, "inspect", path], limit=60)

    def per_rank(self, text, name="per-rank"):
        """A program to start in place of icp: `text` sees $rank, and then icp takes the process over."""
        return self.write(name, f'#!/bin/bash\nrank=$OMPI_COMM_WORLD_RANK\n{text}\nexec {shlex.quote(icp)} "$@"\n', executable=True)

    def until_step(self, step, job, run="run", limit=30):
        """Waits until the run has recorded this step."""
        self.until(lambda: checkpoints.last_record(self.path(run)) >= step, f"step {step} was not reached", job, limit)

    def until_saved(self, step, job, run="run", limit=30):
        """Waits until the checkpoint of this step is there."""
        self.until(lambda: step in checkpoints.steps(self.path(run)), f"step {step} was not saved", job, limit)

    def until(self, holds, otherwise, job, limit=30):
        end = time.monotonic() + limit
        while not holds():
            if not job.running():
                raise Wrong(f"ended before: status {job.wait(1)}: {job.error.strip()[-300:]}")
            if time.monotonic() > end:
                raise Wrong(f"{otherwise} in {limit} s")
            time.sleep(0.005)

    def needs_injector(self):
        if "injector" not in self.references:
            job = self.run([faulty, "train", "tiny.yaml", "--dry-run", "--fault", "0:1:throw"])
            self.references["injector"] = job.status == 0
        # Not a skip: a matrix without these rows says nothing of most faults.
        self.expect(self.references["injector"], f"{faulty} has no injector: run launch/setup --faulty")

    def needs(self, *tools):
        missing = [tool for tool in tools if not shutil.which(tool)]
        if missing:
            raise Skip(f"missing: {', '.join(missing)}")

    # What must hold

    @contextlib.contextmanager
    def case(self, name):
        """One of several cases of a row: the others still run where it goes wrong."""
        try:
            yield
        except Wrong as error:
            self.wrong.append(f"{name}: {error}")

    def expect(self, holds, text):
        if not holds:
            raise Wrong(text)

    def ended(self, job, statuses, says=None, limit=60, seconds=None, trapped=False):
        """The job ends by itself within `limit` seconds with one of `statuses`, says why, and leaves nothing 3 s later."""
        status = job.status if job.status is not None else job.wait(limit)
        if status is None:
            alive = self.family.gone_within(0)
            self.family.kill()
            job.wait(5)
            raise Wrong(f"HUNG: {limit} s after the fault still running ({', '.join(alive)}): {job.error[-300:]}")
        statuses = (statuses,) if isinstance(statuses, int) else statuses
        if 0 not in statuses:
            self.slowest = max(self.slowest or 0, job.seconds)
        text = job.error
        self.expect(status in statuses, f"status {status}, not {' or '.join(map(str, statuses))}: {shortened(text)}")
        self.expect(says is None or re.search(says, text), f"no line says /{says}/: {shortened(text)}")
        found = never_seen.search(text + job.output)
        # Of a trap, which is a mistake of the program's, Swift says a line of its own.
        self.expect(not found or trapped, f"a user sees '{found and found[0]}'")
        self.expect(seconds is None or job.seconds <= seconds, f"took {job.seconds:.1f} s, more than {seconds}")
        self.nothing_left()

    def nothing_left(self, seconds=3):
        alive = self.family.gone_within(seconds)
        if alive:
            self.family.kill()
            raise Wrong(f"alive {seconds} s after the end: {', '.join(alive)}")
        files = os.listdir(self.memory)
        self.expect(not files, f"left in shared memory: {', '.join(files)}")

    def newest_verifies(self, run="run"):
        """The step of the newest checkpoint, which must verify; 0 where there is none."""
        steps = checkpoints.steps(self.path(run))
        if not steps:
            return 0
        job = self.inspect(checkpoints.path(self.path(run), steps[-1]))
        self.expect(job.status == 0 and "checksums: verified" in job.output,
                    f"the newest checkpoint, of step {steps[-1]}, does not verify: {job.error.strip()}")
        return steps[-1]

    def reference(self, config="tiny", settings=()):
        """The bits of the undisturbed run's last checkpoint, on one rank."""
        key = (config, tuple(settings))
        if key not in self.references:
            run = f"undisturbed-{len(self.references)}"
            job = self.train(run, config, settings=settings, limit=120)
            self.expect(job.status == 0, f"the undisturbed run ends with {job.status}: {job.error}")
            kept = f"{os.path.dirname(self.folder)}/{run}-{self.number}"
            os.makedirs(kept)
            shutil.copy(self.path(run, "metrics.jsonl"), kept)
            self.references["records", *key] = kept
            self.references[key] = checkpoints.digest(checkpoints.path(self.path(run), CONFIGURATIONS[config][1]))
        return self.references[key]

    def same_bits(self, run="run", config="tiny", settings=()):
        last = checkpoints.path(self.path(run), CONFIGURATIONS[config][1])
        self.expect(os.path.exists(last), f"the run ended without its last checkpoint: {checkpoints.names(self.path(run))}")
        self.expect(checkpoints.digest(last) == self.reference(config, settings),
                    "the last checkpoint does not have the bits of the undisturbed run's")

    def same_records(self, run="run", config="tiny", settings=()):
        """The run's records are the undisturbed run's, but for what was measured of time and of the process."""
        self.reference(config, settings)
        ours, theirs = (checkpoints.timeless_records(path) for path in
                        (self.path(run), self.references["records", config, tuple(settings)]))
        different = [pair for pair in zip(ours, theirs) if pair[0] != pair[1]]
        self.expect(len(ours) == len(theirs) and not different,
                    f"{len(ours)} records, not {len(theirs)}; different: {different[:1]}")

    def resumes(self, run="run", config="tiny", ranks=None, settings=(), own=(), reached=None, least=0, says=None):
        """Goes on from the newest checkpoint, of step `least` or later, to the undisturbed run's bits.

        `settings` are the undisturbed run's too, `own` this one's. Gives the step resumed from; steps lost are kept."""
        reached = checkpoints.last_record(self.path(run)) if reached is None else reached
        job = self.train(run, config, ranks=ranks, resume="auto", settings=[*settings, *own], limit=120)
        self.expect(job.status == 0, f"resuming ends with {job.status}: {shortened(job.error)}")
        self.expect(says is None or re.search(says, job.error), f"resuming does not say /{says}/: {shortened(job.error)}")
        found = re.search(r"going on from .*, step (\d+)", job.output)
        step = int(found[1]) if found else 0
        self.expect(step >= least, f"resumed from step {step}, though {least} was saved")
        self.same_bits(run, config, settings)
        self.expect(not checkpoints.leftovers(self.path(run)), "temporary files are left after the resume")
        self.nothing_left()
        self.lost = max(self.lost or 0, reached - step)
        return step

    # The end

    @property
    def age(self):
        return time.monotonic() - self.born

    def take_down(self):
        """Undoes what the row made, and names what should not have been there."""
        left = [f"process {text}" for text in self.family.gone_within(3)]
        self.family.kill()
        self.family.gone_within(5)
        self.undo.close()
        left += [f"mount {line.split()[1]}" for line in open("/proc/mounts") if f" {self.folder}/" in line]
        losetup = shutil.which("losetup")
        if losetup:
            devices = subprocess.run([losetup, "-a"], capture_output=True, text=True).stdout
            left += [f"loop device {line.split(':')[0]}" for line in devices.splitlines() if self.folder + "/" in line]
        shutil.rmtree(self.memory, ignore_errors=True)
        if not left and not os.environ.get("ICP_FAULTS_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)
        return left


def shortened(text):
    """The line of icp, else the end of what was written."""
    ours = [line for line in text.splitlines() if line.startswith("icp: ")]
    return (" / ".join(ours[-2:]) or " ".join(text.split())[-200:] or "nothing is said")[:400]
