/* Vector table, reset, clock and faults. [ARM] ARMv7-M Architecture Reference Manual, DDI 0403E */
#include <string.h>

#include "board.h"

static volatile struct {
  u32 control, reload, now;
} *const systick = (void *)0xe000e010; /* [ARM] B3.3 */
static volatile struct {
  u32 cpuid, icsr, vtor, aircr;
} *const scb = (void *)0xe000ed00; /* [ARM] B3.2 */
static volatile struct {
  u32 type, control, number, base, size;
} *const mpu = (void *)0xe000ed90; /* [ARM] B3.5 */
#define NVIC_DISABLE REGISTER(0xe000e180) /* [ARM] B3.4 */
#define NVIC_CLEAR REGISTER(0xe000e280)
/* Of scb->icsr; scb->aircr. */
enum { TICK_PENDING = 1 << 26, CLEAR_TICK = 1 << 25, RESET_REQUEST = 0x05fa0004 };
/* Of mpu->base; size: cached memory of 64 MiB, for all, executable; control: in handlers, too, else the map as it is. */
enum { REGION_0 = 0x10, MEMORY_64M = 3 << 24 | 1 << 19 | 3 << 16 | 25 << 1 | 1, MPU_ON = 7 };
enum { CLOCK_MHZ = 142, TICK_US = 1000 }; /* now_ms counts ticks */

extern u32 data_load[], data_start[], data_end[], bss_start[], bss_end[], handler_stack_top[];
int main(void);

static volatile u32 ticks;
struct registers captured;
struct kept kept __attribute__((section(".kept")));

/* The thread has a stack of its own, at the bottom of the SRAM: below it there is nothing, so overflow is a fault. */
__attribute__((naked)) void reset_handler(void) {
  __asm__ volatile(
      "ldr r0, =stack_top\n msr psp, r0\n movs r0, #2\n msr control, r0\n isb\n b started\n");
}

__attribute__((used)) static void started(void) {
  memcpy(data_start, data_load, (uintptr_t)data_end - (uintptr_t)data_start);
  memset(bss_start, 0, (uintptr_t)bss_end - (uintptr_t)bss_start);
  main();
  reset();
}

void reset(void) {
  scb->aircr = RESET_REQUEST;
  for (;;) __asm__ volatile("dsb");
}

/* As after a reset, but with the vectors, and so the stack and the start, of another program. */
void run_program(const u32 *vectors) {
  systick->control = 0;
  NVIC_DISABLE = NVIC_CLEAR = 0xffffffff;
  scb->icsr = CLEAR_TICK;
  scb->vtor = (u32)vectors;
  mpu->base = (u32)vectors | REGION_0; /* DDR lies where nothing is executable but by leave of the MPU: [ARM] B3.1 */
  mpu->size = MEMORY_64M;
  mpu->control = MPU_ON;
  __asm__ volatile("msr msp, %0\n msr control, %1\n dsb\n isb\n bx %2\n" ::"r"(vectors[0]), "r"(0), "r"(vectors[1]));
  __builtin_unreachable();
}

void tick_start(void) {
  systick->reload = CLOCK_MHZ * TICK_US - 1;
  systick->now = 0;
  systick->control = 7;
}

static void tick(void) {
  ticks++;
  uart_drain();
}

/* Ticks, and clocks since the last one. */
static u32 read_clock(u32 *within) {
  for (;;) {
    u32 before = ticks, at = systick->now;
    bool due = scb->icsr & TICK_PENDING; /* with interrupts off the counter wraps around first */
    *within = CLOCK_MHZ * TICK_US - 1 - (due ? systick->now : at);
    if (before == ticks) return before + due;
  }
}

u32 now_ms(void) { return ticks; }

u32 now_us(void) {
  u32 within, tick = read_clock(&within);
  return tick * TICK_US + within / CLOCK_MHZ;
}

u32 now_clocks(void) {
  u32 within, tick = read_clock(&within);
  return tick * CLOCK_MHZ * TICK_US + within;
}

/* `frame`: r0-r3, r12, lr, pc, xpsr as the exception stacked them; `saved`: r4-r11. [ARM] B1.5.6 */
static void capture_frame(const u32 *frame, const u32 *saved) {
  u32 *r = captured.r;
  memcpy(r, frame, 16);
  memcpy(r + 4, saved, 32);
  r[12] = frame[4];
  r[14] = frame[5];
  r[15] = frame[6];
  captured.xpsr = frame[7];
  r[13] = (u32)(frame + 8) + (captured.xpsr & 0x200 ? 4 : 0);
}

/* The exception returns into fault_taken, as if the code at fault had called it. */
__attribute__((used)) static void fault(u32 *frame, const u32 *saved) {
  if (frame < stack_bottom || frame + 8 > stack_top) { /* a stack that overflowed has no frame */
    memset(&captured, 0, sizeof captured);
    frame = stack_bottom + 128;
    captured.r[13] = (u32)stack_bottom;
  } else
    capture_frame(frame, saved);
  frame[6] = (u32)fault_taken & ~1u;
  frame[7] = 1u << 24;
  __asm__ volatile("msr psp, %0" ::"r"(frame));
}

/* A fault in a handler has no thread to leave: only a reset is left. */
__attribute__((naked)) static void fault_handler(void) {
  __asm__ volatile(
      "tst lr, #4\n beq reset\n mrs r0, psp\n push {r4-r11}\n mov r1, sp\n push {r1, lr}\n bl fault\n"
      "pop {r1, lr}\n pop {r4-r11}\n bx lr\n");
}

__attribute__((section(".vectors"), used)) static const void *const vectors[16 + UART0_IRQ + 1] = {
    handler_stack_top, reset_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler,
    [11] = fault_handler, [12] = fault_handler, [14] = fault_handler, [15] = tick, [16 + UART0_IRQ] = uart_drain,
};
