//! What a run lays under its database's data, because one of its faults cannot do without.

use anyhow::bail;
use serde_json::Value;
use tribunal_harness::cluster::local::find_program;
use tribunal_nemesis::disk;
use tribunal_nemesis::faults::{self, GroundKind, Needs};
use tribunal_nemesis::{Filesystem, Ground, Image};

use super::Plan;

const DEFAULT_SIZE_MB: u64 = 1024;
/// A filesystem with a journal fits, and more than a terabyte is nobody's test.
const SIZES_MB: std::ops::RangeInclusive<u64> = 64..=1 << 20;

impl Plan {
    /// The ground of this run, if it needs any; what cannot be had is an error.
    pub(super) fn ground(&self) -> anyhow::Result<Option<Ground>> {
        let image = self.image()?;
        let mut wanted: Option<(GroundKind, String)> = None;
        for name in self.fault_names() {
            let needs = faults::find(&name)?.needs();
            let data = needs == Needs::Data || needs.ground().is_some();
            if data && self.test.db.data_dir.is_none() {
                bail!(
                    "the fault `{name}` harms the database's data, but nobody says where they \
                     are: set [db] data_dir"
                );
            }
            let Some(kind) = needs.ground() else { continue };
            match &wanted {
                Some((other, first)) if *other != kind => bail!(
                    "the faults `{first}` and `{name}` each need another disk under the \
                     database's data: ask for them in two runs"
                ),
                _ => wanted = Some((kind, name)),
            }
        }
        let Some((kind, name)) = wanted else { return Ok(None) };
        match kind {
            GroundKind::Image => {
                self.check_maker(image.filesystem, &name)?;
                Ok(Some(Ground::Image(image)))
            }
            GroundKind::Fuse => {
                self.check_fuse(&name)?;
                Ok(Some(Ground::Fuse))
            }
        }
    }

    /// `[db] disk`.
    fn image(&self) -> anyhow::Result<Image> {
        let disk = &self.test.db.disk;
        let size_mb = disk.size_mb.unwrap_or(DEFAULT_SIZE_MB);
        if !SIZES_MB.contains(&size_mb) {
            let (least, most) = (SIZES_MB.start(), SIZES_MB.end());
            bail!("[db] disk.size_mb is {size_mb}; it must be from {least} to {most}");
        }
        let name = disk.filesystem.as_deref().unwrap_or("ext4");
        let Ok(filesystem) = serde_json::from_value(Value::from(name)) else {
            bail!("[db] disk.filesystem is {name:?}; it must be ext4 or xfs");
        };
        Ok(Image { size_mb, filesystem })
    }

    /// Local nodes have what this machine has; hosts speak for themselves.
    fn check_fuse(&self, fault: &str) -> anyhow::Result<()> {
        match disk::available() {
            Err(why) if !self.arguments.hosts.are_named() => {
                bail!(
                    "the fault `{fault}` needs FUSE, and this machine has none: {why}; modprobe fuse"
                )
            }
            _ => Ok(()),
        }
    }

    /// As above.
    fn check_maker(&self, filesystem: Filesystem, fault: &str) -> anyhow::Result<()> {
        let (program, package) = filesystem.maker();
        if !self.arguments.hosts.are_named() && find_program(program).is_none() {
            bail!(
                "the fault `{fault}` needs {program}, and this machine has none: \
                 apt-get install {package}"
            );
        }
        Ok(())
    }
}
