//! Hosts that are there already: `--nodes n1,n2`, `--nodes-file F`.
//!
//! A host is written `[NAME=][USER@]HOST[:PORT]`, or as an `ssh://` address, or
//! as an alias of the user's `~/.ssh/config`. Its name is HOST unless another
//! one is given. An IPv6 address that a port follows stands in brackets.

use std::net::IpAddr;
use std::path::Path;
use std::process::Stdio;

use super::control::ControlFolder;
use super::{Cluster, ClusterError, Kind, Node, SshOptions};

/// The hosts of a list with commas.
pub async fn from_list(list: &str, ssh: SshOptions) -> Result<Cluster, ClusterError> {
    resolve(in_list(list)?, "--nodes", ssh).await
}

/// The hosts of a file, one a line; `#` begins a comment.
pub async fn from_file(path: &Path, ssh: SshOptions) -> Result<Cluster, ClusterError> {
    resolve(in_file(path)?, &path.display().to_string(), ssh).await
}

/// What the nodes of a list are called; nobody is looked for.
pub fn names_in_list(list: &str) -> Result<Vec<String>, ClusterError> {
    Ok(in_list(list)?.into_iter().map(|host| host.name).collect())
}

/// What the nodes of a file are called.
pub fn names_in_file(path: &Path) -> Result<Vec<String>, ClusterError> {
    Ok(in_file(path)?.into_iter().map(|host| host.name).collect())
}

fn in_list(list: &str) -> Result<Vec<Host>, ClusterError> {
    list.split(',').map(|entry| Host::parse("--nodes", entry.trim())).collect()
}

fn in_file(path: &Path) -> Result<Vec<Host>, ClusterError> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| wrong(path.display(), &format!("cannot be read: {error}")))?;
    let mut hosts = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let entry = line.split('#').next().unwrap_or_default().trim();
        if !entry.is_empty() {
            hosts.push(Host::parse(&format!("{}:{}", path.display(), number + 1), entry)?);
        }
    }
    Ok(hosts)
}

/// One entry, taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Host {
    /// Where it stands, for the error that names it.
    place: String,
    /// The node's name.
    name: String,
    /// What `ssh` is told.
    destination: String,
    /// The host alone, for looking up its address.
    host: String,
}

impl Host {
    fn parse(place: &str, entry: &str) -> Result<Self, ClusterError> {
        let (name, address) = match entry.split_once('=') {
            Some((name, address)) => (Some(name), address),
            None => (None, entry),
        };
        let plain = address.strip_prefix("ssh://").unwrap_or(address);
        let (user, place_of_host) = match plain.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, plain),
        };
        let (host, port) = host_and_port(place_of_host);
        let words = [name, user, Some(host)];
        if words.into_iter().flatten().any(|word| !is_word(word)) {
            return Err(wrong(
                place,
                &format!("`{entry}` is no host: write [NAME=][USER@]HOST[:PORT]"),
            ));
        }
        if port.is_some_and(|port| !port.parse::<u16>().is_ok_and(|port| port > 0)) {
            return Err(wrong(place, &format!("`{entry}` has no port number after its colon")));
        }
        let login = user.map_or(String::new(), |user| format!("{user}@"));
        // Without the brackets, which ssh does not take for an address' own: the last colon is the port's.
        let destination = match port {
            Some(port) => format!("ssh://{login}{host}:{port}"),
            None => format!("{login}{host}"),
        };
        let name = name.unwrap_or(host).to_owned();
        Ok(Self { place: place.to_owned(), name, destination, host: host.to_owned() })
    }

    /// Its address. `ssh -G` knows what an alias of the user's configuration stands for.
    async fn resolve(&self, ssh: &SshOptions) -> Result<IpAddr, ClusterError> {
        let mut command = tokio::process::Command::new("ssh");
        if let Some(config) = &ssh.config {
            command.arg("-F").arg(config);
        }
        let output = command.arg("-G").arg(&self.host).stdin(Stdio::null()).output().await;
        let output = output.map_err(|_| ClusterError::MissingProgram {
            program: "ssh",
            package: "openssh-client",
        })?;
        let settings = String::from_utf8_lossy(&output.stdout);
        let host = settings.lines().find_map(|line| line.strip_prefix("hostname "));
        let host = host.unwrap_or(&self.host);
        let found = tokio::net::lookup_host((host, 22)).await.ok().and_then(|mut all| all.next());
        found.map(|address| address.ip()).ok_or_else(|| {
            wrong(&self.place, &format!("host `{host}` has no address that this machine can find"))
        })
    }
}

/// Apart. More than one colon is an IPv6 address.
fn host_and_port(text: &str) -> (&str, Option<&str>) {
    match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, rest)) if rest.starts_with(':') => (host, Some(&rest[1..])),
        // A bracket is in no host's name.
        Some(_) => (text, None),
        None => match text.split_once(':') {
            Some((host, port)) if !port.contains(':') => (host, Some(port)),
            _ => (text, None),
        },
    }
}

/// It ends up among the arguments of `ssh`, and in the names of folders.
fn is_word(word: &str) -> bool {
    let good = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '%');
    !word.is_empty() && !word.starts_with(['-', '.']) && word.chars().all(good)
}

async fn resolve(hosts: Vec<Host>, list: &str, ssh: SshOptions) -> Result<Cluster, ClusterError> {
    if hosts.is_empty() {
        return Err(wrong(list, "names no host"));
    }
    for (index, host) in hosts.iter().enumerate() {
        if hosts[..index].iter().any(|earlier| earlier.name == host.name) {
            let advice = format!(
                "{0} is named twice; two nodes on one host need names: n1={0}:2201,n2={0}:2202",
                host.name
            );
            return Err(wrong(&host.place, &advice));
        }
    }
    let mut nodes = Vec::with_capacity(hosts.len());
    for (index, host) in hosts.into_iter().enumerate() {
        let ip = host.resolve(&ssh).await?;
        nodes.push(Node { id: host.name.into(), index, ip, destination: host.destination });
    }
    let control = ControlFolder::make()?;
    let ssh = SshOptions { control_directory: Some(control.path().to_owned()), ..ssh };
    let (name, kind) = ("hosts".to_owned(), Kind::Hosts);
    Ok(Cluster { name, nodes, ssh, kind, wire: None, control: Some(control) })
}

fn wrong(place: impl std::fmt::Display, what: &str) -> ClusterError {
    ClusterError::Hosts(format!("{place}: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(entry: &str) -> (String, String, String) {
        let host = Host::parse("--nodes", entry).unwrap();
        (host.name, host.destination, host.host)
    }

    fn three(name: &str, destination: &str, host: &str) -> (String, String, String) {
        (name.to_owned(), destination.to_owned(), host.to_owned())
    }

    #[test]
    fn a_host_may_have_a_name_a_user_and_a_port() {
        assert_eq!(parsed("db1"), three("db1", "db1", "db1"));
        assert_eq!(parsed("me@db1.lan"), three("db1.lan", "me@db1.lan", "db1.lan"));
        assert_eq!(parsed("me@db1:2222"), three("db1", "ssh://me@db1:2222", "db1"));
        assert_eq!(parsed("ssh://db1:2222"), three("db1", "ssh://db1:2222", "db1"));
        assert_eq!(parsed("n1=db1:2201"), three("n1", "ssh://db1:2201", "db1"));
        assert_eq!(parsed("me@fd00::7"), three("fd00::7", "me@fd00::7", "fd00::7"));
        assert_eq!(parsed("n1=[fd00::7]"), three("n1", "fd00::7", "fd00::7"));
        // As the openssh crate takes it apart again: by the last colon.
        let with_port = three("fd00::7", "ssh://me@fd00::7:2222", "fd00::7");
        assert_eq!(parsed("me@[fd00::7]:2222"), with_port);
        assert_eq!(parsed("ssh://me@[fd00::7]:2222"), with_port);
    }

    #[test]
    fn what_is_no_host_is_refused_where_it_stands() {
        for entry in [
            "",
            "-oProxyCommand=x",
            "a b",
            "me@",
            "@db1",
            "n1=",
            "db1:",
            "db1:x",
            "db1:0",
            "[fd00::7",
            "[fd00::7]2222",
            "[fd00::7]:",
            "[]:22",
        ] {
            let error = Host::parse("nodes.txt:3", entry).unwrap_err();
            assert!(error.is_usage(), "{entry}");
            assert!(error.to_string().starts_with("nodes.txt:3: "), "{entry}: {error}");
        }
    }

    #[tokio::test]
    async fn a_list_names_each_host_once_and_at_least_one() {
        let said = |list: &'static str| async move {
            from_list(list, SshOptions::default()).await.unwrap_err().to_string()
        };
        assert!(said("127.0.0.1,127.0.0.1:2222").await.contains("127.0.0.1 is named twice"));
        assert!(said("127.0.0.1,,127.0.0.2").await.contains("`` is no host"));
        assert!(said("no-such-host.invalid").await.contains("no-such-host.invalid"));
        let empty = resolve(Vec::new(), "nodes.txt", SshOptions::default()).await.unwrap_err();
        assert_eq!(empty.to_string(), "nodes.txt: names no host");
    }

    #[tokio::test]
    async fn hosts_become_nodes_in_their_order() {
        let list = "n1=root@127.0.0.1:2201, n2=127.0.0.2";
        let cluster = from_list(list, SshOptions::default()).await.unwrap();
        let nodes: Vec<String> = cluster
            .nodes
            .iter()
            .map(|n| format!("{} {} {} {}", n.index, n.id, n.ip, n.destination))
            .collect();
        assert_eq!(
            nodes,
            ["0 n1 127.0.0.1 ssh://root@127.0.0.1:2201", "1 n2 127.0.0.2 127.0.0.2",]
        );
    }
}
