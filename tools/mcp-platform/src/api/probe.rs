//! Whether the back end can be used now, for all who ask: balancers, pages, other clusters' lists.
//! One question is under way at a time, and its answer holds for a moment, so that asking us often is
//! not asking the back end often.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::error::{Error, Result};

/// What the back end said last.
#[derive(Debug, Clone)]
struct Said {
    at: Instant,
    answer: Result<()>,
}

/// The question and its last answer.
#[derive(Debug)]
pub struct Probe {
    /// How long an answer holds.
    holds: Duration,
    /// How long the back end may think.
    at_most: Duration,
    last: Arc<Mutex<Option<Said>>>,
}

impl Probe {
    /// A question that nobody asked yet.
    pub fn new(holds: Duration, at_most: Duration) -> Probe {
        Probe {
            holds,
            at_most,
            last: Arc::default(),
        }
    }

    /// The answer that still holds, else a new one, which `heard` is told once. Who comes while it is
    /// asked waits for the same answer; a client that goes away does not take the question with it.
    ///
    /// # Errors
    /// What the back end says, or that it did not answer in time.
    pub async fn ask<F>(
        &self,
        question: impl FnOnce() -> F,
        heard: impl FnOnce(&Result<()>) + Send + 'static,
    ) -> Result<()>
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let mut last = Arc::clone(&self.last).lock_owned().await;
        if let Some(said) = last.as_ref()
            && said.at.elapsed() < self.holds
        {
            return said.answer.clone();
        }
        let asked = tokio::time::timeout(self.at_most, question());
        let asked = tokio::spawn(async move {
            let answer = asked
                .await
                .unwrap_or_else(|_| Err(Error::unavailable("it did not answer in time")));
            heard(&answer);
            *last = Some(Said {
                at: Instant::now(),
                answer: answer.clone(),
            });
            answer
        });
        asked
            .await
            .unwrap_or_else(|_| Err(Error::internal("the question to the back end broke off")))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    /// A back end that counts how often it is asked, and answers as often as it may.
    struct BackEnd {
        asked: AtomicU32,
        heard: AtomicU32,
        answers: Semaphore,
    }

    impl BackEnd {
        fn new(answers: usize) -> Arc<BackEnd> {
            Arc::new(BackEnd {
                asked: AtomicU32::new(0),
                heard: AtomicU32::new(0),
                answers: Semaphore::new(answers),
            })
        }

        /// How often it was asked, which is how often its answer was heard.
        fn asked(&self) -> u32 {
            let asked = self.asked.load(Ordering::SeqCst);
            assert_eq!(self.heard.load(Ordering::SeqCst), asked);
            asked
        }
    }

    async fn ask(probe: &Probe, back_end: &Arc<BackEnd>) -> Result<()> {
        let back_end = Arc::clone(back_end);
        let heard = Arc::clone(&back_end);
        let question = move || async move {
            back_end.asked.fetch_add(1, Ordering::SeqCst);
            back_end.answers.acquire().await.unwrap().forget();
            Ok(())
        };
        let count = move |_: &Result<()>| {
            heard.heard.fetch_add(1, Ordering::SeqCst);
        };
        probe.ask(question, count).await
    }

    #[tokio::test]
    async fn all_who_come_meanwhile_get_the_same_answer_for_a_moment() {
        let back_end = BackEnd::new(2);
        let probe = Probe::new(LONG, LONG);
        let crowd = (0..100).map(|_| ask(&probe, &back_end));
        for answer in futures::future::join_all(crowd).await {
            answer.unwrap();
        }
        assert_eq!(back_end.asked(), 1);
        let probe = Probe::new(Duration::ZERO, LONG);
        ask(&probe, &back_end).await.unwrap();
        assert_eq!(back_end.asked(), 2);
    }

    #[tokio::test]
    async fn a_back_end_that_does_not_answer_is_asked_once_and_given_up() {
        let back_end = BackEnd::new(0);
        let probe = Probe::new(LONG, Duration::from_millis(20));
        let crowd = (0..100).map(|_| ask(&probe, &back_end));
        for answer in futures::future::join_all(crowd).await {
            assert!(answer.unwrap_err().message.contains("in time"));
        }
        assert_eq!(back_end.asked(), 1);
    }

    #[tokio::test]
    async fn clients_that_go_away_do_not_ask_anew() {
        let back_end = BackEnd::new(0);
        let probe = Probe::new(LONG, LONG);
        for _ in 0..20 {
            let moment = Duration::from_millis(5);
            let gone = tokio::time::timeout(moment, ask(&probe, &back_end)).await;
            assert!(gone.is_err());
        }
        back_end.answers.add_permits(1);
        ask(&probe, &back_end).await.unwrap();
        assert_eq!(back_end.asked(), 1);
    }
}
