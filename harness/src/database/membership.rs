//! How members leave a declared database and join it, and which start command is a node's now.

use std::collections::BTreeMap;
use std::sync::Mutex;

use tribunal_history::Name;

use crate::cluster::Node;
use crate::template::{TemplateError, Templates};
use crate::test_file::MembershipTable;

/// As what a node's database is started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Version {
    /// As one that joins a cluster which is there already.
    pub joined: bool,
    /// As the other version.
    pub upgraded: bool,
}

/// As what each node's is started.
#[derive(Debug, Default)]
pub(super) struct Versions(Mutex<BTreeMap<Name, Version>>);

impl Versions {
    pub(super) fn of(&self, node: &Name) -> Version {
        self.0.lock().expect("nobody panics holding it").get(node).copied().unwrap_or_default()
    }

    pub(super) fn change(&self, node: &Name, change: impl FnOnce(&mut Version)) {
        let mut versions = self.0.lock().expect("nobody panics holding it");
        change(versions.entry(node.clone()).or_default());
    }
}

/// A start command, for one that was there in the beginning and for one that joins.
pub(super) struct Start {
    first: String,
    joining: String,
}

impl Start {
    pub(super) fn render(
        template: &str,
        node: &Node,
        templates: &Templates,
    ) -> Result<Self, TemplateError> {
        let (first, joining) =
            (templates.render_for(node, template)?, templates.render_joining(node, template)?);
        Ok(Self { first, joining })
    }

    pub(super) fn of(&self, version: Version) -> &str {
        if version.joined { &self.joining } else { &self.first }
    }
}

/// The commands that one node runs about the others.
pub(super) struct Membership {
    /// By member: `leave` and `join`.
    about: BTreeMap<Name, (String, String)>,
    pub(super) status: String,
}

impl Membership {
    pub(super) fn render(
        table: &MembershipTable,
        node: &Node,
        nodes: &[Node],
        templates: &Templates,
    ) -> Result<Self, TemplateError> {
        let about = |member: &Node| {
            let text = |template: &str| templates.render_about(node, member, template);
            Ok((member.id.clone(), (text(&table.leave)?, text(&table.join)?)))
        };
        Ok(Self {
            about: nodes.iter().map(about).collect::<Result<_, TemplateError>>()?,
            status: templates.render_for(node, &table.status)?,
        })
    }

    pub(super) fn leave(&self, member: &Name) -> Option<&str> {
        self.about.get(member).map(|(leave, _)| leave.as_str())
    }

    pub(super) fn join(&self, member: &Name) -> Option<&str> {
        self.about.get(member).map(|(_, join)| join.as_str())
    }
}
