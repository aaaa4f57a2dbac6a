//! What is read while a subject runs: clocks, the process's own use of the machine, and where threads may run.

use std::error::Error;
use std::time::Duration;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::{UsageWho, getrusage};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;

fn clock(id: ClockId) -> Duration {
    clock_gettime(id).map_or(Duration::ZERO, Duration::from)
}

/// Two clocks of the calling thread: its CPU time, and the wall.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lap {
    pub cpu: Duration,
    pub wall: Duration,
}

impl Lap {
    pub fn now() -> Self {
        Self { cpu: clock(ClockId::CLOCK_THREAD_CPUTIME_ID), wall: clock(ClockId::CLOCK_MONOTONIC) }
    }

    /// Adds what has passed since `since`.
    pub fn add_since(&mut self, since: Self) {
        let now = Self::now();
        self.cpu += now.cpu.saturating_sub(since.cpu);
        self.wall += now.wall.saturating_sub(since.wall);
    }
}

/// CPU time of the whole process, user and system.
pub fn process_cpu() -> Duration {
    getrusage(UsageWho::RUSAGE_SELF).map_or(Duration::ZERO, |usage| {
        [usage.user_time(), usage.system_time()]
            .iter()
            .map(|time| {
                Duration::from_micros(u64::try_from(time.tv_sec() * 1_000_000 + time.tv_usec()).unwrap_or(0))
            })
            .sum()
    })
}

/// The largest resident set the process has had, in KiB (`VmHWM`).
pub fn peak_rss_kib() -> u64 {
    std::fs::read_to_string("/proc/self/status")
        .unwrap_or_default()
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?.trim().parse().ok())
        .unwrap_or(0)
}

/// The first two CPUs this process may use.
///
/// # Errors
/// There are fewer than two.
pub fn two_cpus() -> Result<(usize, usize), Box<dyn Error>> {
    let allowed = sched_getaffinity(Pid::from_raw(0))?;
    let mut cpus = (0..CpuSet::count()).filter(|&cpu| allowed.is_set(cpu).unwrap_or(false));
    cpus.next().zip(cpus.next()).ok_or_else(|| "placement `apart` needs two CPUs".into())
}

/// Binds the calling thread, and the threads it will start, to one CPU.
///
/// # Errors
/// The system refuses.
pub fn bind_to(cpu: usize) -> Result<(), Box<dyn Error>> {
    let mut set = CpuSet::new();
    set.set(cpu)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &set)?)
}
