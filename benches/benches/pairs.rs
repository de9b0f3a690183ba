//! The serialized form of header maps: twelve fields, as a browser sends.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use proxy_wasi_abi::pairs;

const FIELDS: [(&str, &str); 12] = [
    (":method", "GET"),
    (":scheme", "https"),
    (":authority", "shop.example"),
    (":path", "/articles/4711?colour=blue&size=42"),
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    ),
    (
        "accept",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    ),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("accept-language", "en-US,en;q=0.5"),
    (
        "cookie",
        "session=8f14e45fceea167a5a36dedd4bea2543; theme=dark",
    ),
    ("x-forwarded-for", "203.0.113.7"),
    ("x-forwarded-proto", "https"),
    ("x-request-id", "7d444840-9dc0-41d1-8245-5ffdce74fad2"),
];

fn encode(criterion: &mut Criterion) {
    let mut buffer = Vec::new();
    criterion.bench_function("pairs_encode_12", |bench| {
        bench.iter(|| {
            buffer.clear();
            pairs::encode_into(&mut buffer, black_box(FIELDS));
            black_box(buffer.len())
        });
    });
}

fn decode(criterion: &mut Criterion) {
    let bytes = pairs::encode(FIELDS);
    criterion.bench_function("pairs_decode_12", |bench| {
        bench.iter(|| {
            pairs::decode(black_box(&bytes))
                .map(|(name, value)| name.len() + value.len())
                .sum::<usize>()
        });
    });
}

criterion_group!(benches, encode, decode);
criterion_main!(benches);
