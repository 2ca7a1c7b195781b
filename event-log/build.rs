//! Warns when librdkafka is compiled without `librdkafka/zeroed_memory.h`: it may then crash when a broker
//! restarts.

fn main() {
    println!("cargo:rerun-if-env-changed=CFLAGS");
    if !std::env::var("CFLAGS").is_ok_and(|flags| flags.contains("zeroed_memory.h")) {
        println!(
            "cargo:warning=CFLAGS lack `-include zeroed_memory.h`: librdkafka may end the process when a broker \
             restarts (event-log/librdkafka/zeroed_memory.h)"
        );
    }
}
