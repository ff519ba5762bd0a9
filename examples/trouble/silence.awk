# Of a history of a set: how many additions had no answer, and how many of those are in the set.
function word(name) { return match($0, "\"" name "\":\"?[^\",}]*") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3) : "" }
/"f":"add"/ && /"type":"info"/ {
  unanswered[word("key") "/" word("value")] = 1
}
/"f":"read"/ && /"type":"ok"/ && match($0, /"value":\[[^\]]*/) {
  count = split(substr($0, RSTART + 9, RLENGTH - 9), elements, ",")
  for (i = 1; i <= count; i++) seen[word("key") "/" elements[i]] = 1
}
END {
  for (element in unanswered) { all++; made += element in seen }
  printf "%d %d\n", all, made
}
