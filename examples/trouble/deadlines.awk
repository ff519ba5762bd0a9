# Of a history: the longest time that a client waited, in milliseconds; how many calls had no answer; and how
# many had one.
function number(name) { return match($0, "\"" name "\":[0-9]+") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3) + 0 : -1 }
/"process":"nemesis"/ { next }
{ process = number("process") }
/"type":"invoke"/ { began[process] = number("time"); next }
{
  wait = number("time") - began[process]
  if (wait > longest) longest = wait
}
/"type":"info"/ { given_up++ }
/"type":"ok"/ { answered++ }
END { printf "%d %d %d\n", longest / 1e6, given_up, answered }
