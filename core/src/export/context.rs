//! What a lane tells a sink about the moment: the deadline, randomness for jitter, and where to report.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;
use tokio::time::Instant;

/// Receives one line per failed attempt that will be repeated; must not block.
type Notice = Arc<dyn Fn(&str) + Send + Sync>;

/// How a wait between two attempts ended ([`SendContext::pause_until`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    /// The time has come.
    Over,
    /// The deadline was known and left no time; nothing was waited.
    Impossible,
    /// A deadline was set during the wait that leaves no time for the rest of it.
    CutShort,
}

/// The conditions under which a sink sends; one per lane, alive as long as the lane.
pub struct SendContext {
    deadline: watch::Receiver<Option<Instant>>,
    random: AtomicU64,
    retrying: Option<Notice>,
}

impl SendContext {
    /// `deadline` is when a sink must have answered, `None` while the engine runs normally; a shutdown
    /// sets it, and may set it while a batch is under way. `seed` starts the jitter.
    pub fn new(deadline: watch::Receiver<Option<Instant>>, seed: u64) -> Self {
        Self { deadline, random: AtomicU64::new(seed), retrying: None }
    }

    /// A context without a deadline.
    pub fn unbounded(seed: u64) -> Self {
        Self::new(watch::channel(None).1, seed)
    }

    /// Calls `notice` with the reason whenever an attempt failed and will be repeated.
    #[must_use]
    pub fn on_retry(mut self, notice: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.retrying = Some(Arc::new(notice));
        self
    }

    /// When the sink must have answered, as known now.
    pub fn deadline(&self) -> Option<Instant> {
        *self.deadline.borrow()
    }

    /// Whether the deadline has passed.
    pub fn is_expired(&self) -> bool {
        self.deadline().is_some_and(|deadline| deadline <= Instant::now())
    }

    /// Completes once the deadline has passed, whenever it is set.
    pub async fn expired(&self) {
        let mut changes = self.deadline.clone();
        loop {
            let deadline = *changes.borrow_and_update();
            let passed = async {
                match deadline {
                    Some(deadline) => tokio::time::sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = passed => return,
                changed = changes.changed() => if changed.is_err() {
                    // The lane is gone; what it said last holds.
                    match deadline {
                        Some(deadline) => return tokio::time::sleep_until(deadline).await,
                        None => std::future::pending().await,
                    }
                },
            }
        }
    }

    /// Waits until `resume`, the time of the next attempt, unless the deadline leaves no time for it.
    ///
    /// For sinks that try again: [`Pause::Over`] means to do so; [`Pause::Impossible`] to give up at once, as the
    /// deadline comes before `resume`; [`Pause::CutShort`] that a shutdown began during the wait, which a sink may
    /// use for one last attempt. Dropping the future ends the wait.
    pub async fn pause_until(&self, resume: Instant) -> Pause {
        let mut changes = self.deadline.clone();
        let too_late = |deadline: Option<Instant>| deadline.is_some_and(|deadline| deadline <= resume);
        if too_late(*changes.borrow_and_update()) {
            return Pause::Impossible;
        }
        let over = tokio::time::sleep_until(resume);
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = &mut over => return Pause::Over,
                changed = changes.changed() => match changed {
                    Ok(()) if too_late(*changes.borrow_and_update()) => return Pause::CutShort,
                    Ok(()) => {}
                    Err(_) => {
                        over.await;
                        return Pause::Over;
                    }
                },
            }
        }
    }

    /// A fraction in `0.0..1.0`, different at every call (SplitMix64).
    pub fn jitter(&self) -> f64 {
        let state = self.random.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        // 53 bits fill a double's mantissa exactly.
        ((mixed ^ mixed >> 31) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Says that an attempt failed and will be repeated.
    pub fn report_retry(&self, reason: &str) {
        if let Some(notice) = &self.retrying {
            notice(reason);
        }
    }
}

impl fmt::Debug for SendContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendContext").field("deadline", &self.deadline()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn jitter_fills_the_unit_interval() {
        let context = SendContext::unbounded(0);
        let draws: Vec<f64> = (0..1000).map(|_| context.jitter()).collect();
        assert!(draws.iter().all(|draw| (0.0..1.0).contains(draw)));
        assert!(draws.iter().any(|draw| *draw < 0.1) && draws.iter().any(|draw| *draw > 0.9));
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_set_later_is_seen() {
        let (set, deadline) = watch::channel(None);
        let context = SendContext::new(deadline, 1);
        let late = Instant::now() + Duration::from_secs(60);
        let soon = Instant::now() + Duration::from_secs(1);
        let waiting = async {
            context.expired().await;
            Instant::now()
        };
        let setting = async {
            set.send_replace(Some(late));
            tokio::task::yield_now().await;
            set.send_replace(Some(soon));
        };
        let (expired_at, ()) = tokio::join!(waiting, setting);
        assert!(expired_at >= soon && expired_at < late);
        assert!(context.is_expired());
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_yields_to_the_deadline() {
        let (set, deadline) = watch::channel(None);
        let context = SendContext::new(deadline, 1);
        let resume = Instant::now() + Duration::from_secs(30);
        let setting = async {
            set.send_replace(Some(resume + Duration::from_secs(1)));
            tokio::task::yield_now().await;
            set.send_replace(Some(resume - Duration::from_secs(1)));
        };
        let (pause, ()) = tokio::join!(context.pause_until(resume), setting);
        assert_eq!(pause, Pause::CutShort);
        assert_eq!(context.pause_until(resume).await, Pause::Impossible);
        set.send_replace(None);
        assert_eq!(context.pause_until(resume).await, Pause::Over);
        assert!(Instant::now() >= resume);
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_deadline_holds_when_the_lane_is_gone() {
        let soon = Instant::now() + Duration::from_secs(1);
        let context = SendContext::new(watch::channel(Some(soon)).1, 1);
        context.expired().await;
        assert!(Instant::now() >= soon);
    }
}
