//! Hashes the passwords that people choose: argon2id on blocking threads, one per core, behind a bounded queue.

use std::sync::Arc;
use std::thread::available_parallelism;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use domain::refusal::Refusal;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use super::policy::{normalised, require_strong};
use crate::config::Config;
use crate::error::{ApiError, MutationError};

/// The cost of one hash (RFC 9106).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

/// The queue of passwords to hash is full.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords wait to be hashed")]
pub struct HashingQueueFull {
    /// When to try again, in milliseconds.
    pub retry_after_ms: u64,
}

const RETRY_SOON: HashingQueueFull = HashingQueueFull { retry_after_ms: 1_000 };

/// argon2 rejects the cost.
#[derive(Debug, thiserror::Error)]
#[error("these password hash settings can't be: {0}")]
pub struct InvalidCost(argon2::Error);

impl From<HashingQueueFull> for ApiError {
    fn from(error: HashingQueueFull) -> Self {
        Self::Unavailable { retry_after_ms: error.retry_after_ms }
    }
}

impl From<HashingQueueFull> for MutationError {
    fn from(error: HashingQueueFull) -> Self {
        Self::Failed(error.into())
    }
}

/// Hashes and verifies chosen passwords.
pub struct Hasher {
    argon2: Argon2<'static>,
    cost: Cost,
    /// A hash of this cost that no password has.
    decoy: String,
    /// One permit per core: more at a time would only slow each down.
    cores: Arc<Semaphore>,
    /// One permit for each password that is being hashed or waits.
    queue: Arc<Semaphore>,
}

impl Cost {
    /// The configured cost.
    pub fn of(config: &Config) -> Self {
        Self {
            memory: config.password_memory_kib,
            passes: config.password_passes,
            lanes: config.password_lanes,
        }
    }
}

impl Hasher {
    /// A hasher of this cost. At most `queue` passwords wait.
    pub fn try_new(cost: Cost, queue: usize) -> Result<Self, InvalidCost> {
        let params = Params::new(cost.memory, cost.passes, cost.lanes, None).map_err(InvalidCost)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let cores = available_parallelism().map_or(1, std::num::NonZero::get);
        let hasher = Self {
            argon2,
            cost,
            decoy: decoy(cost),
            cores: Arc::new(Semaphore::new(cores)),
            queue: Arc::new(Semaphore::new(cores + queue)),
        };
        Ok(hasher)
    }

    /// The PHC string of a password.
    pub async fn hash(&self, password: &SecretString) -> Result<String, HashingQueueFull> {
        let argon2 = self.argon2.clone();
        let password = normalised(password);
        self.run(move || {
            let hash = argon2.hash_password(password.expose_secret().as_bytes());
            hash.expect("the parameters were checked and the system has randomness").to_string()
        })
        .await
    }

    /// Whether this is the password of the PHC string.
    pub async fn verify(&self, password: &SecretString, phc: &str) -> Result<bool, HashingQueueFull> {
        let (argon2, phc) = (self.argon2.clone(), phc.to_owned());
        let password = normalised(password);
        self.run(move || {
            PasswordHash::new(&phc)
                .is_ok_and(|hash| argon2.verify_password(password.expose_secret().as_bytes(), &hash).is_ok())
        })
        .await
    }

    /// Takes as long as [`Hasher::verify`], for names that nobody has.
    pub async fn verify_nothing(&self, password: &SecretString) -> Result<(), HashingQueueFull> {
        self.verify(password, &self.decoy).await.map(|_| ())
    }

    /// Applies the password policy to a normalised password. In the queue too, because it is expensive.
    pub async fn check_policy(
        &self,
        password: &SecretString,
        words: Vec<String>,
    ) -> Result<Result<(), Refusal>, HashingQueueFull> {
        let password = password.clone();
        self.run(move || {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            require_strong(&password, &words)
        })
        .await
    }

    /// Whether the PHC string was made with a lower cost than the present one.
    pub fn is_weaker(&self, phc: &str) -> bool {
        let Ok(hash) = PasswordHash::new(phc) else { return false };
        Params::try_from(&hash).is_ok_and(|params| {
            params.m_cost() < self.cost.memory
                || params.t_cost() < self.cost.passes
                || params.p_cost() < self.cost.lanes
        })
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashingQueueFull> {
        let queued = Arc::clone(&self.queue).try_acquire_owned().map_err(|_| RETRY_SOON)?;
        let core = Arc::clone(&self.cores).acquire_owned().await.expect("the semaphore is never closed");
        // The work holds the permits, so that a caller who gives up does not let more run than there are cores.
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop((core, queued));
            result
        });
        done.await.map_err(|_| RETRY_SOON)
    }
}

/// A PHC string of this cost that no password has: its output was never computed.
fn decoy(cost: Cost) -> String {
    let Cost { memory, passes, lanes } = cost;
    let (salt, output) = ("bXVzdGVybXVzdGVyMDAwMA", "A".repeat(43));
    format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${output}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { memory: 64, passes: 2, lanes: 1 };

    fn password(text: &str) -> SecretString {
        text.into()
    }

    #[tokio::test]
    async fn a_password_verifies_against_its_own_hash_alone() {
        let hasher = Hasher::try_new(CHEAP, 4).unwrap();
        let phc = hasher.hash(&password("correct horse")).await.unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=64,t=2,p=1$"), "{phc}");
        assert!(hasher.verify(&password("correct horse"), &phc).await.unwrap());
        assert!(!hasher.verify(&password("correct horsf"), &phc).await.unwrap());
        assert!(!hasher.verify(&password("correct horse"), "not a hash").await.unwrap());
    }

    #[tokio::test]
    async fn composed_and_decomposed_letters_are_the_same_password() {
        let hasher = Hasher::try_new(CHEAP, 4).unwrap();
        let phc = hasher.hash(&password("Zoe\u{308}s Passwort")).await.unwrap();
        assert!(hasher.verify(&password("Zo\u{eb}s Passwort"), &phc).await.unwrap());
    }

    #[tokio::test]
    async fn a_hash_of_lower_cost_is_weaker() {
        let hasher = Hasher::try_new(CHEAP, 4).unwrap();
        let phc = hasher.hash(&password("x")).await.unwrap();
        assert!(!hasher.is_weaker(&phc));
        let dearer = Hasher::try_new(Cost { passes: 3, ..CHEAP }, 4).unwrap();
        assert!(dearer.is_weaker(&phc));
        assert!(!dearer.is_weaker("not a hash"));
    }

    #[tokio::test]
    async fn the_decoy_is_a_hash_that_is_computed_and_never_met() {
        let hasher = Hasher::try_new(CHEAP, 4).unwrap();
        assert!(PasswordHash::new(&hasher.decoy).is_ok());
        assert!(!hasher.verify(&password("x"), &hasher.decoy).await.unwrap());
        hasher.verify_nothing(&password("x")).await.unwrap();
    }

    #[tokio::test]
    async fn beyond_the_queue_callers_are_told_to_come_back() {
        let hasher = Hasher::try_new(CHEAP, 1).unwrap();
        let permits = hasher.queue.available_permits();
        let held =
            Arc::clone(&hasher.queue).acquire_many_owned(u32::try_from(permits).unwrap()).await.unwrap();
        assert_eq!(hasher.hash(&password("x")).await, Err(HashingQueueFull { retry_after_ms: 1_000 }));
        drop(held);
        assert!(hasher.hash(&password("x")).await.is_ok());
    }
}
