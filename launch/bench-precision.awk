# Lines "NETWORK STEP WAY SECONDS", a round after another, as a Markdown table of medians and of medians of ratios.
function median(list, values, count, i, j, swap) {
  count = split(list, values, " ")
  for (i = 2; i <= count; i++)
    for (j = i; j > 1 && values[j - 1] + 0 > values[j] + 0; j--) { swap = values[j]; values[j] = values[j - 1]; values[j - 1] = swap }
  return count % 2 ? values[(count + 1) / 2] : (values[count / 2] + values[count / 2 + 1]) / 2
}
function ratio(way, name, count, i, own, base, list) {
  count = split(times[name, "float32"], base, " ")
  if (split(times[name, way], own, " ") != count) return "|"
  for (i = 1; i <= count; i++) list = list " " base[i] / own[i]
  return sprintf("%.0f | %.2f", 1000 * median(times[name, way]), median(list))
}
{
  name = $1 " " $2
  if (!(name in seen)) { seen[name] = 1; order[++rows] = name }
  times[name, $3] = times[name, $3] " " $4
}
END {
  print "| network | step | float32, ms | refinement in bfloat16, ms | ratio | all in bfloat16, ms | ratio | of a plain float32 step |"
  print "|---|---|---|---|---|---|---|---|"
  for (i = 1; i <= rows; i++) {
    split(order[i], parts, " ")
    step = parts[2] == "plain" ? "plain" : parts[2] == "least" ? "T = 2, reuse, half" : "T = " parts[2]
    own = median(times[order[i], "float32"])
    plain = median(times[parts[1] " plain", "float32"])
    cost = sprintf("%.2f", own / plain)
    for (way = 1; way <= 2; way++) {
      name = way == 1 ? "refinement" : "all"
      if ((order[i], name) in times) cost = cost sprintf(", %.2f", median(times[order[i], name]) / plain)
    }
    printf "| %s | %s | %.0f | %s | %s | %s |\n", parts[1], step, 1000 * own, ratio("refinement", order[i]),
      ratio("all", order[i]), cost
  }
}
