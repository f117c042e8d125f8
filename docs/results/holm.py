"""Paired differences of a study with Holm's correction: python holm.py RUNS.csv METRIC A,B RIVAL,RIVAL [DIGITS]

RUNS.csv is a study's runs.csv. For each point and each of A, B against each rival: the mean over the seeds that both have, the standard error,
the 95 % interval, the p value of Student's t, and whether it stands when all rows are one family (Holm 1979). Standard library alone.
"""
import csv, math, sys


def tail(t, df, steps=2000):
    """P(T > t) by Simpson's rule over the angle."""
    top = math.atan(abs(t) / math.sqrt(df))
    h = top / steps
    total = sum((1 if i in (0, steps) else 4 if i % 2 else 2) * math.cos(i * h) ** (df - 1) for i in range(steps + 1))
    constant = math.gamma((df + 1) / 2) / (math.sqrt(math.pi) * math.gamma(df / 2))
    return 0.5 - math.copysign(constant * total * h / 3, t)


def quantile(p, df):
    low, high = 0.0, 200.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if tail(middle, df) > p else (low, middle)
    return low


path, metric, own, rivals = sys.argv[1:5]
runs = {}
for row in csv.DictReader(open(path)):
    if row.get(metric):
        runs.setdefault(row.get("point", ""), {}).setdefault(row["variant"], {})[int(row["seed"])] = 100 * float(row[metric])
rows = []
for point, variants in runs.items():
    for a in own.split(","):
        for b in rivals.split(","):
            seeds = sorted(set(variants.get(a, {})) & set(variants.get(b, {})))
            if len(seeds) < 2:
                continue
            d = [variants[a][s] - variants[b][s] for s in seeds]
            mean, n = sum(d) / len(d), len(d)
            error = math.sqrt(sum((x - mean) ** 2 for x in d) / (n - 1) / n)
            p = 1.0 if error == 0 else 2 * tail(abs(mean / error), n - 1)
            rows.append([point, a, b, n, mean, error, p])
stands = True
order = sorted(range(len(rows)), key=lambda i: rows[i][6])
marks = {}
for rank, i in enumerate(order):
    level = 0.05 / (len(rows) - rank)
    stands = stands and rows[i][6] <= level
    marks[i] = (stands, level)
print("| point | difference | seeds | mean | standard error | 95 % interval | corrected interval | p | stands |")
print("| --- | --- | ---: | ---: | ---: | --- | --- | ---: | --- |")
for i, (point, a, b, n, mean, error, p) in enumerate(rows):
    half, wide = quantile(0.025, n - 1) * error, quantile(marks[i][1] / 2, n - 1) * error
    print(f"| {point} | {a} - {b} | {n} | {mean:+.2f} | {error:.2f} | [{mean - half:+.2f}, {mean + half:+.2f}] | "
          f"[{mean - wide:+.2f}, {mean + wide:+.2f}] | {p:.4f} | {'yes' if marks[i][0] else 'no'} |")
