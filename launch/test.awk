# Sums what `swift test` writes as its event stream (JSON lines): seconds by target, then the names of failed tests.
# `-v together=1` leaves the seconds out: tests that run side by side wait for one another.
# A test's name is TARGET.SUITE/FUNCTION/FILE:LINE:COLUMN. A suite has no file in its name, and is left out: it holds tests.

function value(name,   text) {
  if (match($0, "\"" name "\":\"[^\"]*\"")) text = substr($0, RSTART + length(name) + 4, RLENGTH - length(name) - 5)
  else if (match($0, "\"" name "\":[^,}]*")) text = substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3)
  gsub(/\\\//, "/", text)
  return text
}

/"kind":"testStarted"/ || /"kind":"testEnded"/ || /"kind":"issueRecorded"/ {
  test = value("testID")
  if (test !~ /\.swift:[0-9]+:[0-9]+$/) next
  target = test
  sub(/\..*/, "", target)
  if (/"kind":"testStarted"/) started[test] = value("absolute")
  else if (/"kind":"testEnded"/ && test in started) {
    seconds[target] += value("absolute") - started[test]
    delete started[test]
    count[target]++
  } else if (/"isKnown":false/ || !/"isKnown"/) {
    if (!(test in failed)) order[++failures] = test
    failed[test] = 1
  }
}
END {
  for (target in count)
    if (together) printf "  %-20s %4d tests\n", target, count[target] | "sort -k2 -n -r"
    else printf "  %-20s %4d tests  %7.1f s\n", target, count[target], seconds[target] | "sort -k4 -n -r"
  close(together ? "sort -k2 -n -r" : "sort -k4 -n -r")
  # What a crash of the process left unfinished did not pass either.
  for (test in started) if (!(test in failed)) order[++failures] = test " (did not end)"
  for (i = 1; i <= failures; i++) printf "  FAILED  %s\n", order[i]
}
