//! The page `docs/workloads.md`: every workload, as the head of its own file tells it.

use crate::{Definition, WORKLOADS};

impl Definition {
    /// Its page, in Markdown: what it asks, its calls, its options. What is told is what stands
    /// beside the code.
    pub fn page(&self) -> String {
        let head = self.source.lines().map_while(|line| line.strip_prefix("//!"));
        let lines = head.map(|line| line.strip_prefix(' ').unwrap_or(line));
        lines.map(|line| unlinked(line) + "\n").collect()
    }
}

/// A line whose links to other files are only names.
fn unlinked(line: &str) -> String {
    let mut plain = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("[`crate::") {
        let Some((path, after)) = after.split_once("`]") else { break };
        plain += &format!("{before}`{}`", path.replace('_', "-"));
        rest = after;
    }
    plain + rest
}

/// All of them.
pub fn page() -> String {
    let mut page = String::from(
        "# Workloads\n\nWhat `tribunal run -w NAME` calls, and what judges the answers. A workload's \
         options stand in the test file, under\n`[workload.NAME]`. This page is written by \
         `tribunal explain workloads`: each section is the head of the workload's own file.\n\n\
         | workload | finds |\n|---|---|\n",
    );
    for Definition { name, summary, .. } in WORKLOADS {
        page += &format!("| [`{name}`](#{name}) | {summary} |\n");
    }
    for definition in WORKLOADS {
        page += &format!("\n## {}\n\n{}", definition.name, definition.page());
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_written() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/workloads.md");
        let written = std::fs::read_to_string(path).expect("docs/workloads.md");
        assert!(written == page(), "write it anew: tribunal explain workloads > docs/workloads.md");
    }

    #[test]
    fn links_to_files_are_names() {
        assert_eq!(unlinked("//! [`crate::set_full`] is"), "//! `set-full` is");
        assert_eq!(unlinked("as `set` [x](y)"), "as `set` [x](y)");
    }
}
