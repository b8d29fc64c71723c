/* UART 0, a 16550 with FIFO, by interrupt; the tick drains it, too. [16550] TI PC16550D data sheet, SNLS378B */
#include "board.h"

#define UART 0x40000000u
#define DATA REGISTER(UART + 0x00)
#define INTERRUPTS REGISTER(UART + 0x04)
#define FIFO REGISTER(UART + 0x08)
#define LINE_CONTROL REGISTER(UART + 0x0c)
#define LINE_STATUS REGISTER(UART + 0x14)
#define RECEIVED 1u
#define ROOM 2u           /* of INTERRUPTS: transmitter has room */
#define HAS_DATA 1u       /* of LINE_STATUS */
#define TAKES_FIFO 0x20u  /* room for a whole FIFO */
#define ALL_SENT 0x40u    /* the last bit is on the line */
#define FIFO_BYTES 16u
#define NVIC_ENABLE REGISTER(0xe000e100)

/* The host has at most 16 frames of 1,050 bytes on their way. */
#define IN_BYTES 32768u
#define OUT_BYTES 4096u
static uint8_t in[IN_BYTES], out[OUT_BYTES];
static volatile u32 in_head, in_tail, out_head, out_tail;
static bool wants_room;

void uart_start(void) {
  LINE_CONTROL = 0x83; /* divisor: 1, the highest rate that the clock of the UART gives */
  DATA = 1;
  INTERRUPTS = 0;
  LINE_CONTROL = 3; /* 8N1 */
  FIFO = 0xc7;      /* on, empty, an interrupt at 14 bytes, or when fewer have been there for a while */
  INTERRUPTS = RECEIVED;
  NVIC_ENABLE = 1u << UART0_IRQ;
}

static void transmit(void) {
  while (out_head != out_tail && LINE_STATUS & TAKES_FIFO)
    for (u32 i = 0; i < FIFO_BYTES && out_head != out_tail; i++) DATA = out[out_head++ % OUT_BYTES];
  INTERRUPTS = out_head == out_tail ? RECEIVED : RECEIVED | ROOM;
}

/* What does not fit is lost, as on any line: the link sends it again. */
void uart_drain(void) {
  while (LINE_STATUS & HAS_DATA) {
    uint8_t byte = (uint8_t)DATA;
    if (in_tail - in_head < IN_BYTES) in[in_tail++ % IN_BYTES] = byte;
  }
  transmit();
}

bool uart_idle(void) { return in_head == in_tail; }

bool uart_sent(void) { return out_head == out_tail && LINE_STATUS & ALL_SENT; }

u32 uart_read(uint8_t *to, u32 room) {
  u32 n = 0;
  while (n < room && in_head != in_tail) to[n++] = in[in_head++ % IN_BYTES];
  return n;
}

u32 uart_write(const uint8_t *from, u32 bytes) {
  u32 n = 0;
  while (n < bytes && out_tail - out_head < OUT_BYTES) out[out_tail++ % OUT_BYTES] = from[n++];
  wants_room = n < bytes;
  __asm__ volatile("cpsid i" ::: "memory");
  transmit();
  __asm__ volatile("cpsie i" ::: "memory");
  return n;
}

void uart_wait(u32 us) {
  u32 from = now_us();
  for (;;) {
    __asm__ volatile("cpsid i" ::: "memory");
    bool over = !uart_idle() || (wants_room && out_tail - out_head <= OUT_BYTES / 2) || now_us() - from >= us;
    if (!over) __asm__ volatile("wfi" ::: "memory");
    __asm__ volatile("cpsie i\n isb" ::: "memory");
    if (over) return;
  }
}
