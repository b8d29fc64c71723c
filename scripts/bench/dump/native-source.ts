// What a dump is compared with, in C: the best that this machine's own instructions and calls do. One program, compiled
// when the bench begins; each operation times itself and prints wall and CPU nanoseconds and what it counted.

export const NATIVE_C = String.raw`
#define _GNU_SOURCE
#include <fcntl.h>
#include <immintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef WITH_LZ4
#include <lz4.h>
#endif
#define CHUNK 65536
#define POLY 0x82f63b78u

static uint64_t clock_of(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* CRC32C by the crc32 instruction in three streams; a table moves a sum over the zeros that follow it. */
static uint32_t shift_long[4][256], shift_short[4][256];
static uint32_t multiply(const uint32_t *matrix, uint32_t vector) {
  uint32_t sum = 0;
  for (; vector; vector >>= 1, matrix++) if (vector & 1) sum ^= *matrix;
  return sum;
}
static void square(uint32_t *to, const uint32_t *from) {
  for (int n = 0; n < 32; n++) to[n] = multiply(from, from[n]);
}
static void zeros(uint32_t table[4][256], size_t bytes) {
  uint32_t even[32], odd[32];
  odd[0] = POLY;
  for (int n = 1; n < 32; n++) odd[n] = 1u << (n - 1);
  square(even, odd);
  square(odd, even);
  const uint32_t *op = odd;
  do {
    square(even, odd);
    op = even;
    bytes >>= 1;
    if (!bytes) break;
    square(odd, even);
    op = odd;
    bytes >>= 1;
  } while (bytes);
  for (uint32_t n = 0; n < 256; n++)
    for (int k = 0; k < 4; k++) table[k][n] = multiply(op, n << (8 * k));
}
static uint32_t shift(uint32_t table[4][256], uint32_t c) {
  return table[0][c & 255] ^ table[1][(c >> 8) & 255] ^ table[2][(c >> 16) & 255] ^ table[3][c >> 24];
}
static uint64_t streams(uint64_t c0, const uint8_t **at, size_t *left, size_t part, uint32_t table[4][256]) {
  const uint8_t *p = *at;
  while (*left >= 3 * part) {
    uint64_t c1 = 0, c2 = 0;
    for (const uint8_t *end = p + part; p < end; p += 8) {
      c0 = _mm_crc32_u64(c0, *(const uint64_t *)p);
      c1 = _mm_crc32_u64(c1, *(const uint64_t *)(p + part));
      c2 = _mm_crc32_u64(c2, *(const uint64_t *)(p + 2 * part));
    }
    c0 = shift(table, (uint32_t)c0) ^ c1;
    c0 = shift(table, (uint32_t)c0) ^ c2;
    p += 2 * part;
    *left -= 3 * part;
  }
  *at = p;
  return c0;
}
static uint32_t crc32c(const uint8_t *p, size_t left) {
  uint64_t c = 0xffffffffu;
  c = streams(c, &p, &left, 8192, shift_long);
  c = streams(c, &p, &left, 256, shift_short);
  for (; left >= 8; left -= 8, p += 8) c = _mm_crc32_u64(c, *(const uint64_t *)p);
  for (; left; left--) c = _mm_crc32_u8((uint32_t)c, *p++);
  return ~(uint32_t)c;
}

static int is_zero(const uint8_t *p, size_t bytes) {
  for (const __m256i *v = (const __m256i *)p, *end = (const __m256i *)(p + bytes); v < end; v += 8) {
    __m256i a = _mm256_or_si256(_mm256_or_si256(_mm256_loadu_si256(v), _mm256_loadu_si256(v + 1)),
                                _mm256_or_si256(_mm256_loadu_si256(v + 2), _mm256_loadu_si256(v + 3)));
    __m256i b = _mm256_or_si256(_mm256_or_si256(_mm256_loadu_si256(v + 4), _mm256_loadu_si256(v + 5)),
                                _mm256_or_si256(_mm256_loadu_si256(v + 6), _mm256_loadu_si256(v + 7)));
    a = _mm256_or_si256(a, b);
    if (!_mm256_testz_si256(a, a)) return 0;
  }
  return 1;
}

static uint64_t began_wall, began_cpu;
static void begin(void) {
  began_cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID);
  began_wall = clock_of(CLOCK_MONOTONIC);
}
static int end(uint64_t count) {
  uint64_t wall = clock_of(CLOCK_MONOTONIC) - began_wall, cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID) - began_cpu;
  return printf("%llu %llu %llu\n", (unsigned long long)wall, (unsigned long long)cpu, (unsigned long long)count) < 0;
}
/* Memory that is there, in pages of the usual size, as board RAM is: no reference waits for a page of the host. */
static uint8_t *touched(size_t bytes) {
  uint8_t *at = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) exit(3);
  memset(at, 1, bytes);
  return at;
}
static const uint8_t *image_of(const char *path, size_t offset, size_t bytes) {
  int file = open(path, O_RDONLY);
  if (file < 0) exit(3);
  uint8_t *to = touched(bytes);
  for (size_t at = 0; at < bytes;) {
    ssize_t got = pread(file, to + at, bytes - at < 1 << 26 ? bytes - at : 1 << 26, offset + at);
    if (got <= 0) exit(3);
    at += got;
  }
  volatile uint8_t *page = to;
  for (size_t at = 0; at < bytes; at += 4096) page[at] = page[at];
  close(file);
  return to;
}
/* Pages for a new file on tmpfs that were in use a moment ago, as for a dump. */
static void used(const char *path, const uint8_t *from, size_t bytes) {
  int file = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
  if (file < 0) exit(3);
  for (size_t at = 0; at < bytes;) {
    ssize_t done = pwrite(file, from + at, bytes - at < 1 << 20 ? bytes - at : 1 << 20, at);
    if (done <= 0) exit(3);
    at += done;
  }
  close(file);
  unlink(path);
}

static int run(char **argv) {
  struct rusage use;
  int status;
  begin();
  pid_t child = fork();
  if (child == 0) {
    int null = open("/dev/null", O_RDWR);
    dup2(null, 0), dup2(null, 1), dup2(null, 2);
    execvp(argv[0], argv);
    _exit(127);
  }
  if (wait4(child, &status, 0, &use) < 0 || !WIFEXITED(status) || WEXITSTATUS(status)) return 4;
  uint64_t wall = clock_of(CLOCK_MONOTONIC) - began_wall;
  uint64_t cpu = (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000000ull +
                 (use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1000ull;
  return printf("%llu %llu 0\n", (unsigned long long)wall, (unsigned long long)cpu) < 0;
}

static int kernel(const char *what, int passes, const uint8_t *from, size_t bytes) {
  uint64_t count = 0;
  if (!strcmp(what, "crc")) {
    begin();
    for (int pass = 0; pass < passes; pass++) for (size_t at = 0; at < bytes; at += CHUNK) count ^= crc32c(from + at, CHUNK);
    return end(count);
  }
  if (!strcmp(what, "zero")) {
    begin();
    for (int pass = 0; pass < passes; pass++) for (size_t at = 0; at < bytes; at += CHUNK) count += is_zero(from + at, CHUNK);
    return end(count);
  }
#ifdef WITH_LZ4
  if (!strcmp(what, "lz4")) {
    static char to[LZ4_COMPRESSBOUND(CHUNK)];
    begin();
    for (int pass = 0; pass < passes; pass++) for (size_t at = 0; at < bytes; at += CHUNK) {
      if (is_zero(from + at, CHUNK)) continue;
      int stored = LZ4_compress_default((const char *)from + at, to, CHUNK, LZ4_COMPRESSBOUND(CHUNK));
      count += stored < CHUNK ? stored : CHUNK;
    }
    return end(count);
  }
#endif
  return 2;
}
/* Kernels on the same memory, one a line of the input, so that another program can take turns with them. */
static int serve(const uint8_t *from, size_t bytes) {
  char what[16];
  int passes;
  while (scanf("%15s %d", what, &passes) == 2) {
    int failed = kernel(what, passes, from, bytes);
    if (failed) return failed;
    fflush(stdout);
  }
  return 0;
}

/* native OPERATION IMAGE OFFSET BYTES [OUT [sync]] | native run PROGRAM ARGUMENT... */
int main(int argc, char **argv) {
  if (argc > 2 && !strcmp(argv[1], "run")) return run(argv + 2);
  if (argc < 5) return 2;
  const char *what = argv[1];
  size_t offset = strtoull(argv[3], 0, 10), bytes = strtoull(argv[4], 0, 10);
  const uint8_t *from = image_of(argv[2], offset, bytes);
  uint64_t count = 0;
  zeros(shift_long, 8192);
  zeros(shift_short, 256);
  if (!strcmp(what, "check")) return printf("%u\n", crc32c((const uint8_t *)"123456789", 9)) < 0;
  if (!strcmp(what, "memcpy")) {
    uint8_t *to = touched(bytes);
    begin();
    for (size_t at = 0; at < bytes; at += 1 << 20) {
      size_t part = bytes - at < 1 << 20 ? bytes - at : 1 << 20;
      memcpy(to + at, from + at, part);
    }
    return end(to[bytes / 2]);
  }
  /* memcpy of what is not zero, one read of the rest; "sum": and each chunk's checksum, as a dump has it */
  if (!strcmp(what, "keep") || !strcmp(what, "sum")) {
    uint8_t *to = touched(bytes);
    volatile uint32_t sum = 0;
    begin();
    for (size_t at = 0; at < bytes; at += CHUNK) {
      if (is_zero(from + at, CHUNK)) continue;
      if (*what == 's') sum ^= crc32c(from + at, CHUNK);
      memcpy(to + CHUNK * count++, from + at, CHUNK);
    }
    return end(count * CHUNK);
  }
  if (!strcmp(what, "pwrite")) {
    if (argc < 6) return 2;
    if (argc == 6) used(argv[5], from, bytes);
    begin();
    int out = open(argv[5], O_CREAT | O_EXCL | O_WRONLY, 0600);
    if (out < 0) return 3;
    for (size_t at = 0; at < bytes;) {
      size_t part = bytes - at < 1 << 20 ? bytes - at : 1 << 20;
      ssize_t done = pwrite(out, from + at, part, at);
      if (done <= 0) return 3;
      at += done;
    }
    if (argc > 6 && fdatasync(out)) return 3;
    return end(bytes);
  }
  if (!strcmp(what, "kernels")) return serve(from, bytes);
  return 2;
}
`;
