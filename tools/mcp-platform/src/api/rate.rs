//! How many requests a caller may make: a bucket of tokens for each, filled at a steady rate.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How many callers are remembered before those with a full bucket are forgotten.
const REMEMBERED: usize = 10_000;

/// The allowed rate.
#[derive(Debug)]
pub struct Rate {
    per_second: f64,
    burst: f64,
    buckets: Mutex<HashMap<String, Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    level: f64,
    at: Instant,
}

impl Rate {
    /// So many a second, and so many at once; 0 a second: no limit.
    pub fn new(per_second: u32, burst: u32) -> Rate {
        Rate {
            per_second: f64::from(per_second),
            burst: f64::from(burst.max(1)),
            buckets: Mutex::new(HashMap::new()),
        }
    }

    /// Counts one request of a caller.
    ///
    /// # Errors
    /// It is one too many; how long to wait.
    pub fn take(&self, caller: &str, now: Instant) -> Result<(), Duration> {
        if self.per_second == 0.0 {
            return Ok(());
        }
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= REMEMBERED && !buckets.contains_key(caller) {
            buckets.retain(|_, bucket| self.level(bucket, now) < self.burst);
        }
        if buckets.len() >= REMEMBERED && !buckets.contains_key(caller) {
            // So many at once are an attack: those who are known go on.
            return Err(Duration::from_secs(1));
        }
        let bucket = buckets.entry(caller.to_owned()).or_insert(Bucket {
            level: self.burst,
            at: now,
        });
        bucket.level = self.level(bucket, now);
        bucket.at = now;
        if bucket.level < 1.0 {
            return Err(Duration::from_secs_f64(
                (1.0 - bucket.level) / self.per_second,
            ));
        }
        bucket.level -= 1.0;
        Ok(())
    }

    fn level(&self, bucket: &Bucket, now: Instant) -> f64 {
        let gone = now.saturating_duration_since(bucket.at).as_secs_f64();
        (bucket.level + gone * self.per_second).min(self.burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate_and_each_for_itself() {
        let rate = Rate::new(2, 3);
        let begun = Instant::now();
        for _ in 0..3 {
            rate.take("a", begun).unwrap();
        }
        let wait = rate.take("a", begun).unwrap_err();
        assert_eq!(wait, Duration::from_millis(500));
        rate.take("b", begun).unwrap();
        rate.take("a", begun + Duration::from_millis(500)).unwrap();
        assert!(rate.take("a", begun + Duration::from_millis(600)).is_err());
    }

    #[test]
    fn strangers_are_forgotten() {
        let rate = Rate::new(1000, 1);
        let begun = Instant::now();
        for number in 0..REMEMBERED {
            rate.take(&number.to_string(), begun).unwrap();
        }
        assert!(rate.take("new", begun).is_err());
        rate.take("new", begun + Duration::from_secs(1)).unwrap();
        assert_eq!(rate.buckets.lock().unwrap().len(), 1);
    }

    #[test]
    fn zero_is_no_limit() {
        let rate = Rate::new(0, 1);
        let now = Instant::now();
        assert!((0..1000).all(|_| rate.take("a", now).is_ok()));
    }
}
