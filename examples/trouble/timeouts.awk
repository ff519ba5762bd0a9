# Of a history: how many terms its answers are of while nobody was dead, and the longest time (in seconds)
# without an acknowledged call from the kill on.
function number(name,  found) {
  if (!match($0, "\"" name "\":[0-9]+")) return -1
  found = substr($0, RSTART, RLENGTH)
  sub(/.*:/, "", found)
  return found + 0
}
/"process":"nemesis"/ && /"kill"/ { if (!killed) { killed = number("time"); last = killed } }
/"type":"ok"/ && !/"process":"nemesis"/ {
  time = number("time")
  if (!killed) { term = number("term"); if (term >= 0) terms[term] = 1 }
  else { if (time - last > gap) gap = time - last; last = time }
}
{ if (number("time") > end) end = number("time") }
END {
  if (killed && end - last > gap) gap = end - last
  for (term in terms) leaders++
  printf "%d %.1f\n", leaders, gap / 1e9
}
