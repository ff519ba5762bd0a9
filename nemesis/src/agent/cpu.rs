//! Too little processor time: a quota for a daemon's session, by the control group's bandwidth
//! limit. Once it is used up no thread runs until the period is over.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use tribunal_harness::cluster::cgroup::{Controller, Version};
use tribunal_history::Effect;

use super::act::Act;
use super::group::Group;
use super::journal::Undo;
use super::processes::Runtime;

/// The kernel's own period.
const PERIOD: Duration = Duration::from_millis(100);
/// The longest that it takes.
const LONGEST: Duration = Duration::from_secs(1);
/// The least quota that it takes.
const LEAST: Duration = Duration::from_millis(1);
/// For how long a daemon is watched to learn what it uses.
const WATCH: Duration = Duration::from_millis(200);
/// How long a daemon gets to use its quota up.
const PATIENCE: Duration = Duration::from_secs(3);

/// A daemon that may use so much of one processor.
pub struct CpuLimit {
    group: Group,
    /// Which part of what it uses it may use on.
    part: u64,
    /// Or how many millionths of a core.
    core_ppm: Option<u64>,
    told: String,
    began: Option<(Instant, Runtime)>,
}

impl CpuLimit {
    /// The daemon `pid`.
    pub fn of(fault: u64, pid: u32, part: u64, core_ppm: Option<u64>) -> io::Result<Self> {
        let group = Group::of(fault, pid, Controller::Cpu)?;
        Ok(Self { group, part: part.max(1), core_ppm, told: String::new(), began: None })
    }

    /// How much it may use, and what it used.
    fn share(&self) -> io::Result<(f64, f64)> {
        let before = Runtime::of(&self.group.session)?;
        thread::sleep(WATCH);
        let used = Runtime::of(&self.group.session)?.since(&before).as_secs_f64();
        let used = used / WATCH.as_secs_f64();
        Ok((self.core_ppm.map_or(used / self.part as f64, |ppm| ppm as f64 / 1e6), used))
    }

    fn throttled(&self) -> io::Result<(u64, u64)> {
        let count = |name| self.group.count("cpu.stat", name);
        Ok((count("nr_throttled")?, count("nr_periods")?))
    }

    fn effect(&self) -> io::Result<Effect> {
        let (throttled, periods) = self.throttled()?;
        let mut evidence =
            format!("its quota ({}) was used up in {throttled} of {periods} periods", self.told);
        if let Some((began, before)) = &self.began {
            let used = Runtime::of(&self.group.session)?.since(before).as_secs_f64();
            let share = percent(used / began.elapsed().as_secs_f64());
            evidence += &format!("; it got {share} of a core");
        }
        Ok(Effect { observed: throttled > 0, evidence: vec![evidence] })
    }
}

impl Act for CpuLimit {
    fn undo(&self) -> Undo {
        Undo::Disband(self.group.clone())
    }

    fn perform(&mut self) -> io::Result<()> {
        let (share, used) = self.share()?;
        let (quota, period) = quota(share);
        let share = quota.as_secs_f64() / period.as_secs_f64();
        self.told = format!("{} of a core; before it used {}", percent(share), percent(used));
        self.group.make()?;
        let (quota, period) = (quota.as_micros(), period.as_micros());
        match self.group.version {
            Version::One => {
                self.group.set("cpu.cfs_period_us", &period.to_string())?;
                self.group.set("cpu.cfs_quota_us", &quota.to_string())?;
            }
            Version::Two => self.group.set("cpu.max", &format!("{quota} {period}"))?,
        }
        self.group.take_in()?;
        self.began = Some((Instant::now(), Runtime::of(&self.group.session)?));
        Ok(())
    }

    /// It shows as soon as the quota is used up for the first time.
    fn look(&mut self) -> io::Result<Effect> {
        let deadline = Instant::now() + PATIENCE;
        while self.throttled()?.0 == 0 && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
        self.effect()
    }

    fn last_look(&mut self) -> Effect {
        self.effect().unwrap_or_default()
    }
}

/// A quota and its period that come to this share of a core, within what the kernel takes.
fn quota(share: f64) -> (Duration, Duration) {
    let least = LEAST.as_secs_f64();
    let period = (least / share.max(1e-9)).clamp(PERIOD.as_secs_f64(), LONGEST.as_secs_f64());
    let quota = (share * period).max(least);
    (Duration::from_micros((quota * 1e6).round() as u64), Duration::from_secs_f64(period))
}

fn percent(share: f64) -> String {
    format!("{:.2} %", share * 1e2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_one_that_the_kernel_takes() {
        let ms = Duration::from_millis;
        assert_eq!(quota(0.5), (ms(50), ms(100)));
        assert_eq!(quota(2.0), (ms(200), ms(100)));
        assert_eq!(quota(0.005), (ms(1), ms(200)));
        assert_eq!(quota(0.0), (ms(1), ms(1000)));
    }
}
