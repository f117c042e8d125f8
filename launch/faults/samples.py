"""What a run takes over time: memory, descriptors and threads of its ranks, files in its folder and in shared memory."""

import os

# The first saves and evaluations of a start fill buffers once; they do not count.
WARM_UP_STEPS = 100
# Shorter stretches say nothing about a slope.
FEWEST_STEPS = 20
LARGEST_SLOPE = 1024  # kB in 1000 steps


class Watch:
    def __init__(self, run, memory):
        self.run, self.memory = run, memory
        self.starts = []
        self.files = {"run folder": [], "checkpoints": [], "shared memory": []}

    def begin(self):
        self.starts.append({})
        self.first = None

    def sample(self, ranks, step):
        if not ranks:
            return
        self.first = step if self.first is None else self.first
        if step - self.first < WARM_UP_STEPS:
            return
        for rank, number in ranks.items():
            try:
                fields = status(number)
                descriptors = len(os.listdir(f"/proc/{number}/fd"))
            except (OSError, KeyError):
                continue
            self.starts[-1].setdefault(rank, []).append(
                (step, fields["RssAnon"], fields["VmRSS"], descriptors, fields["Threads"]))
        for name, folder in (("run folder", self.run), ("checkpoints", f"{self.run}/checkpoints"),
                             ("shared memory", self.memory)):
            try:
                self.files[name].append(sum(".tmp." not in file for file in os.listdir(folder)))
            except OSError:
                pass

    def series(self):
        """Of each start and rank with enough steps: the samples."""
        for start in self.starts:
            for rank, samples in sorted(start.items()):
                # At its last step a rank may be leaving, and gives back what it has.
                samples = [sample for sample in samples if sample[0] < samples[-1][0]]
                if samples and samples[-1][0] - samples[0][0] >= FEWEST_STEPS:
                    yield rank, samples

    def report(self):
        """Prints a line a rank; the conclusion as text."""
        worst, moved = 0.0, [0, 0]
        by_rank = {}
        for rank, samples in self.series():
            by_rank.setdefault(rank, []).append(samples)
        for rank, starts in sorted(by_rank.items()):
            slopes = [(slope([s[0] for s in samples], [s[1] for s in samples]), samples[-1][0] - samples[0][0])
                      for samples in starts]
            steps = sum(weight for _, weight in slopes)
            mean = 1000 * sum(value * weight for value, weight in slopes) / steps
            spread = [max(max(s[k] for s in samples) - min(s[k] for s in samples) for samples in starts) for k in (3, 4)]
            peak = max(s[2] for samples in starts for s in samples)
            print(f"rank {rank}: RSS at most {peak >> 10} MiB; anonymous memory {mean:+.0f} kB in 1000 steps "
                  f"(over {steps} steps of {len(starts)} starts); descriptors {starts[-1][-1][3]}, moved by {spread[0]}; "
                  f"threads {starts[-1][-1][4]}, moved by {spread[1]}")
            worst = max(worst, mean)
            moved = [max(a, b) for a, b in zip(moved, spread)]
        for name, counts in self.files.items():
            print(f"files in {name}: {min(counts, default=0)} to {max(counts, default=0)}")
        # A save opens up to two files for a moment. Its thread may come and go, and the loader's where an epoch begins.
        self.is_flat = bool(by_rank) and worst <= LARGEST_SLOPE and moved[0] <= 2 and moved[1] <= 2
        return (f"memory {worst:+.0f} kB in 1000 steps, descriptors move by {moved[0]}, threads by {moved[1]}"
                f"{'' if self.is_flat else ': NOT FLAT'}")


def status(number):
    found = {}
    with open(f"/proc/{number}/status") as file:
        for line in file:
            name, _, value = line.partition(":")
            if name in ("VmRSS", "RssAnon", "Threads"):
                found[name] = int(value.split()[0])
    return found


def slope(xs, ys):
    """Of the line that fits best."""
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    square = sum((x - mean_x) ** 2 for x in xs)
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys)) / square if square else 0.0
