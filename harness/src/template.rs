//! Templates over the node, the cluster and the user's variables: the strings of a test file.
//!
//! The language is Jinja's, by the `minijinja` crate. A name that does not
//! exist is an error, not an empty string.

use std::collections::BTreeMap;
use std::path::Path;

use minijinja::value::{Serde, Value};
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;
use serde_json::Value as Json;

use crate::cluster::Node;

/// A template that does not render.
#[derive(Debug, thiserror::Error)]
#[error("in the template {template:?}: {why}")]
pub struct TemplateError {
    /// The text of the template.
    template: String,
    /// What is wrong with it.
    why: String,
}

/// What the templates of one run can speak of.
#[derive(Clone, Debug)]
pub struct Templates {
    nodes: Vec<NodeScope>,
    vars: BTreeMap<String, Json>,
    bin: String,
    dir: String,
}

/// The names that a template may use.
#[derive(Serialize)]
struct Scope<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<&'a NodeScope>,
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<&'a NodeScope>,
    joins: bool,
    cluster: ClusterScope<'a>,
    vars: &'a BTreeMap<String, Json>,
    bin: &'a str,
    dir: &'a str,
}

#[derive(Serialize)]
struct ClusterScope<'a> {
    nodes: &'a [NodeScope],
}

#[derive(Clone, Debug, Serialize)]
struct NodeScope {
    id: String,
    index: usize,
    ip: String,
    ports: BTreeMap<String, u16>,
}

impl Templates {
    /// `{{ node.* }}` and `{{ cluster.nodes }}` from `nodes`, `{{ vars.* }}`, `{{ bin }}` (the folder
    /// of the running command) and `{{ dir }}` (the test file's folder).
    pub fn new(
        nodes: &[Node],
        ports: &BTreeMap<String, u16>,
        vars: &BTreeMap<String, Json>,
        bin: &Path,
        dir: &Path,
    ) -> Self {
        let scope = |node: &Node| NodeScope {
            id: node.id.to_string(),
            index: node.index,
            ip: node.ip.to_string(),
            ports: ports.clone(),
        };
        Self {
            nodes: nodes.iter().map(scope).collect(),
            vars: vars.clone(),
            bin: bin.display().to_string(),
            dir: dir.display().to_string(),
        }
    }

    /// Renders a template that speaks of no particular node.
    pub fn render(&self, template: &str) -> Result<String, TemplateError> {
        self.render_with(template, None, None, false)
    }

    /// Renders a template for one node.
    pub fn render_for(&self, node: &Node, template: &str) -> Result<String, TemplateError> {
        self.render_with(template, self.nodes.get(node.index), None, false)
    }

    /// Renders a template for a node that joins a cluster which is there already: `{{ joins }}` is true.
    pub fn render_joining(&self, node: &Node, template: &str) -> Result<String, TemplateError> {
        self.render_with(template, self.nodes.get(node.index), None, true)
    }

    /// Renders a template for one node that speaks of another one, `{{ member.* }}`.
    pub fn render_about(
        &self,
        node: &Node,
        member: &Node,
        template: &str,
    ) -> Result<String, TemplateError> {
        let at = |node: &Node| self.nodes.get(node.index);
        self.render_with(template, at(node), at(member), false)
    }

    fn render_with(
        &self,
        template: &str,
        node: Option<&NodeScope>,
        member: Option<&NodeScope>,
        joins: bool,
    ) -> Result<String, TemplateError> {
        let mut jinja = Environment::new();
        jinja.set_undefined_behavior(UndefinedBehavior::Strict);
        let scope = Scope {
            node,
            member,
            joins,
            cluster: ClusterScope { nodes: &self.nodes },
            vars: &self.vars,
            bin: &self.bin,
            dir: &self.dir,
        };
        jinja.render_str(template, Value::from(Serde(scope))).map_err(|error| TemplateError {
            template: template.to_owned(),
            why: error.to_string(),
        })
    }
}
