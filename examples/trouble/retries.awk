# Of a history: how many calls were retries, and the most calls in a tenth of a second, by the second.
function number(name) { return match($0, "\"" name "\":[0-9]+") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3) + 0 : -1 }
/"process":"nemesis"/ || !/"type":"invoke"/ { next }
/"retry":/ { retries++ }
{ calls[int(number("time") / 1e8)]++ }
END {
  for (moment in calls) if (calls[moment] > most) most = calls[moment]
  printf "%d %d\n", retries, most * 10
}
