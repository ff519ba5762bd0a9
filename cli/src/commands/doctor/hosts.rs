//! What hosts lack for their faults, asked over SSH.

use std::collections::BTreeMap;

use tribunal_harness::cluster::{Cluster, Session};
use tribunal_nemesis::agent::kernel;

use super::Finding;

/// Prints a line for each thing that matters. Nothing is changed: whether there is a netem is tried
/// in a network namespace that goes with its process.
const LOOK: &str = r#"
PATH=$PATH:/usr/sbin:/sbin
echo "user $(id -u)"
echo "machine $(uname -m)"
echo "boot_id $(cat /proc/sys/kernel/random/boot_id)"
echo "nft $(command -v nft)"
echo "netem $(unshare -n sh -c 'tc qdisc add dev lo root netem delay 1ms && echo works' 2>&1 | head -n 1)"
echo "mkfs $(command -v mkfs.ext4)"
echo "loop $(ls /dev/loop-control 2>/dev/null)"
echo "fuse $(ls /dev/fuse 2>/dev/null)"
for controller in cpu memory pids; do
  [ -d /sys/fs/cgroup/$controller ] ||
    grep -qw $controller /sys/fs/cgroup/cgroup.subtree_control 2>/dev/null ||
    echo "without_$controller yes"
done
for service in systemd-timesyncd chronyd chrony ntpd ntp ntpsec openntpd; do
  systemctl is-active --quiet $service 2>/dev/null && echo "time $service"
done
true
"#;

/// The findings of every host, each with the host's name in front.
pub async fn findings(cluster: &Cluster) -> anyhow::Result<Vec<(String, Finding)>> {
    let sessions = cluster.connect().await?;
    let controller = kernel::boot_id()?;
    let mut findings = Vec::new();
    for session in &sessions {
        let said = said(session).await?;
        let node = session.node().id.to_string();
        findings.extend(of(&said, &controller).into_iter().map(|it| (node.clone(), it)));
    }
    Ok(findings)
}

async fn said(session: &Session) -> anyhow::Result<BTreeMap<String, String>> {
    let said = session.run_ok(LOOK).await?;
    let words = said.lines().filter_map(|line| line.split_once(' '));
    Ok(words.map(|(what, found)| (what.to_owned(), found.trim().to_owned())).collect())
}

fn of(said: &BTreeMap<String, String>, controller: &str) -> Vec<Finding> {
    let word = |what: &str| said.get(what).map_or("", String::as_str);
    let finding = |what, needed_for, vital, found| Finding { what, needed_for, vital, found };
    let some = |found: &str, remedy: &str| match found {
        "" => Err(remedy.to_owned()),
        found => Ok(found.to_owned()),
    };
    let user = match word("user") {
        "0" => Ok("yes".to_owned()),
        _ => Err("log in as root: root@HOST".to_owned()),
    };
    let netem = match word("netem") {
        "works" => Ok("works".to_owned()),
        said => Err(format!("tc and the kernel's sch_netem are needed ({said})")),
    };
    let x86 = match word("machine") {
        "x86_64" => Ok("x86_64".to_owned()),
        other => Err(format!("the vDSO is patched on x86_64 only; this is {other}")),
    };
    let own = !word("boot_id").is_empty() && !word("boot_id").eq_ignore_ascii_case(controller);
    let clock = match (own, word("time")) {
        (false, _) => Err("this host shares the controller's kernel and its clock".to_owned()),
        (true, "") => Ok("its own, and no service of NTP keeps it".to_owned()),
        (true, service) => Ok(format!("its own; {service} is stopped for as long as it is moved")),
    };
    let without = ["cpu", "memory", "pids"]
        .into_iter()
        .find(|controller| said.contains_key(&format!("without_{controller}")));
    let cgroups = match without {
        None => Ok("cpu, memory, pids".to_owned()),
        Some(it) => Err(format!(
            "no group can have `{it}`: echo +{it} >/sys/fs/cgroup/cgroup.subtree_control"
        )),
    };
    vec![
        finding("root", "faults at all", true, user),
        finding("nft", "partitions", false, some(word("nft"), "install nftables")),
        finding("netem", "bad links", false, netem),
        finding("cgroups", "limits", false, cgroups),
        finding(
            "mkfs.ext4",
            "power loss, full and hung disks",
            false,
            some(word("mkfs"), "install e2fsprogs"),
        ),
        finding(
            "loop",
            "power loss, full and hung disks",
            false,
            some(word("loop"), "modprobe loop"),
        ),
        finding(
            "fuse",
            "failing, slow, torn and lying disks",
            false,
            some(word("fuse"), "modprobe fuse"),
        ),
        finding("host clock", "clock faults of the whole host", false, clock),
        finding("vDSO clock", "clock faults of the database's processes", false, x86),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_host_lacks_is_told() {
        let said = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(what, found)| ((*what).to_owned(), (*found).to_owned())).collect()
        };
        let good = said(&[
            ("user", "0"),
            ("machine", "x86_64"),
            ("boot_id", "a"),
            ("nft", "/usr/sbin/nft"),
            ("netem", "works"),
            ("mkfs", "/usr/sbin/mkfs.ext4"),
            ("loop", "/dev/loop-control"),
            ("fuse", "/dev/fuse"),
            ("time", "chronyd"),
        ]);
        assert!(of(&good, "b").iter().all(|finding| finding.found.is_ok()));
        let bad = said(&[
            ("user", "7"),
            ("boot_id", "b"),
            ("netem", "Error: unknown."),
            ("without_cpu", "yes"),
        ]);
        let told: Vec<String> = of(&bad, "b").iter().map(ToString::to_string).collect();
        assert!(told.iter().all(|line| line.starts_with("missing")), "{told:?}");
        assert!(told[2].contains("no bad links: tc and the kernel's sch_netem"), "{told:?}");
        assert!(told[3].contains("no limits: no group can have `cpu`"), "{told:?}");
        assert!(told[7].contains("shares the controller's kernel"), "{told:?}");
    }
}
