# Lines of: milliseconds, leaders, seconds.
BEGIN { printf "%8s  %-30s  %s\n", "timeout", "terms while nobody was dead", "seconds without an answer after the kill" }
function bar(length_,  drawn) { for (drawn = ""; length_ >= 1; length_--) drawn = drawn "#"; return drawn }
{ printf "%5d ms  %3d %-26s  %4.1f %s\n", $1, $2, bar($2 > 26 ? 26 : $2), $3, bar($3 * 4) }
