//! Limits how often one address may register. Counts are in memory, per gateway, and bounded.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::config::Rate;
use crate::error::ApiError;

/// Most addresses in memory. Beyond it the oldest window is forgotten.
const ADDRESSES: usize = 10_000;

/// Counts events per address in windows of a fixed length.
#[derive(Debug)]
pub(crate) struct AddressRateLimiter {
    rate: Rate,
    windows: Mutex<HashMap<IpAddr, RateWindow>>,
}

#[derive(Debug, Clone, Copy)]
struct RateWindow {
    began: Instant,
    count: u32,
}

/// The address has used up its window.
#[derive(Debug, Clone, PartialEq, Eq)]
struct RateExceeded {
    retry_after_ms: u64,
}

impl AddressRateLimiter {
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, windows: Mutex::default() }
    }

    /// Counts one more event, unless the address has used up its window.
    pub(crate) fn admit(&self, address: Option<IpAddr>) -> Result<(), ApiError> {
        self.take(address, Instant::now())
            .map_err(|RateExceeded { retry_after_ms }| ApiError::RateLimited { retry_after_ms })
    }

    /// Clients without a known address share one count.
    fn take(&self, address: Option<IpAddr>, now: Instant) -> Result<(), RateExceeded> {
        let Rate::Limit { most, window: length } = self.rate else { return Ok(()) };
        let address = network(address.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)));
        let mut windows = self.windows.lock().expect("nothing panics while it holds the lock");
        if windows.len() >= ADDRESSES && !windows.contains_key(&address) {
            make_room(&mut windows, length, now);
        }
        let window = windows.entry(address).or_insert(RateWindow { began: now, count: 0 });
        if now.duration_since(window.began) >= length {
            *window = RateWindow { began: now, count: 0 };
        }
        if window.count >= most.get() {
            let left = length.saturating_sub(now.duration_since(window.began));
            let retry_after_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX).max(1);
            return Err(RateExceeded { retry_after_ms });
        }
        window.count += 1;
        Ok(())
    }
}

fn make_room(windows: &mut HashMap<IpAddr, RateWindow>, length: Duration, now: Instant) {
    windows.retain(|_, window| now.duration_since(window.began) < length);
    if windows.len() >= ADDRESSES {
        let oldest = windows.iter().min_by_key(|(_, window)| window.began).map(|(address, _)| *address);
        oldest.map(|address| windows.remove(&address));
    }
}

/// The address that is counted. A client with one IPv6 address usually has the whole /64 network, so that counts as one.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_its_share_in_each_window() {
        let limit = AddressRateLimiter::new("2/minute".parse().unwrap());
        let start = Instant::now();
        assert!(limit.take(Some(address("192.0.2.1")), start).is_ok());
        assert!(limit.take(Some(address("192.0.2.1")), start).is_ok());
        let later = start + Duration::from_secs(45);
        assert_eq!(
            limit.take(Some(address("192.0.2.1")), later),
            Err(RateExceeded { retry_after_ms: 15_000 })
        );
        assert!(limit.take(Some(address("192.0.2.2")), later).is_ok());
        assert!(limit.take(Some(address("192.0.2.1")), start + Duration::from_mins(1)).is_ok());
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        let limit = AddressRateLimiter::new("1/minute".parse().unwrap());
        let start = Instant::now();
        assert!(limit.take(Some(address("2001:db8:0:1::1")), start).is_ok());
        assert!(limit.take(Some(address("2001:db8:0:1::2")), start).is_err());
        assert!(limit.take(Some(address("2001:db8:0:2::1")), start).is_ok());
    }

    #[test]
    fn the_space_is_bounded() {
        let limit = AddressRateLimiter::new("1/day".parse().unwrap());
        let start = Instant::now();
        for n in 0..u32::try_from(ADDRESSES).unwrap() + 10 {
            assert!(limit.take(Some(IpAddr::V4(n.into())), start).is_ok());
        }
        assert!(limit.windows.lock().unwrap().len() <= ADDRESSES);
        assert!(AddressRateLimiter::new(Rate::Off).take(None, start).is_ok());
    }
}
