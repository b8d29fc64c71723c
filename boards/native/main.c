/*
 * The agent and the firmware on a native board: what firmware/attached/outside.ts asks for. The devices that the
 * firmware imports are the agent's functions of the same names: scripts/build-native.mjs renames them.
 */
#include <setjmp.h>
#include <string.h>

#include "board.h"
#include "agent.h"
#include "firmware.h"

#define UNIT_BYTES 65536u
#define EM_ARM 40
#define RAW_BYTES 2097152u

extern u8 board_ram[], board_ram_end[];
static u8 agent_memory[4 * UNIT_BYTES] __attribute__((aligned(16)));
static wasm_rt_memory_t ram = {.data = board_ram};
static Z_agent_instance_t agent;
static Z_firmware_instance_t firmware;

/* ---------------------------------------------------------------------------------------------------- runtime */

void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, u32 pages, u32 max_pages) {
  if (pages * UNIT_BYTES > sizeof agent_memory) reset();
  memset(agent_memory, 0, sizeof agent_memory);
  *memory = (wasm_rt_memory_t){agent_memory, pages, max_pages, pages * UNIT_BYTES};
}
void wasm_rt_free_memory(wasm_rt_memory_t *memory) {}
u32 wasm_rt_grow_memory(wasm_rt_memory_t *memory, u32 pages) { return pages == 0 ? memory->pages : 0xffffffff; }
/* Types are told apart at indirect calls only, and there are none. */
u32 wasm_rt_register_func_type(u32 params, u32 results, ...) { return 0; }
wasm_rt_memory_t *Z_envZ_memory(struct Z_env_instance_t *env) { return &ram; }

/* -------------------------------------------------------------------------------------------------------- cpu */

static jmp_buf *running;
static u32 trapped, trap_pc;

struct counts counts __attribute__((section(".counts")));
static bool waited;

static void count(u32 clocks) {
  counts.least = counts.cycles++ == 0 || clocks < counts.least ? clocks : counts.least;
  counts.most = clocks > counts.most ? clocks : counts.most;
  counts.total += clocks;
}

/* What this CPU adds to the panic record. [layout] RECORD_MACHINE_AT, firmware/layout.ts */
struct native_record {
  u32 machine, ram;
  struct registers registers;
  u32 stack_bytes;
  u8 stack[NATIVE_STACK_ROOM];
};

/* The first of a life: what traps in the panic handler does not hide why it runs. */
static void record(void) {
  struct native_record *record = (void *)(board_ram + NATIVE_AT);
  u8 *sp = (u8 *)captured.r[13];
  u32 bytes = (u32)stack_top - (u32)sp;
  if (ram.size < NATIVE_AT + sizeof *record || record->machine) return;
  record->machine = EM_ARM;
  record->ram = (u32)board_ram;
  record->registers = captured;
  record->stack_bytes = bytes < NATIVE_STACK_ROOM ? bytes : NATIVE_STACK_ROOM;
  memcpy(record->stack, sp, record->stack_bytes);
}

void fault_taken(void) {
  if (running == 0) reset();
  record();
  trap_pc = captured.r[15];
  longjmp(*running, 1);
}

/* The registers are those of the code that trapped: it has called this function last. */
__attribute__((naked)) void wasm_rt_trap(wasm_rt_trap_t code) {
  __asm__ volatile(
      "push {r0}\n ldr r0, =captured\n add r0, #4\n stmia r0, {r1-r12}\n pop {r1}\n sub r0, #4\n str r1, [r0]\n"
      "str sp, [r0, #52]\n str lr, [r0, #56]\n subs r1, lr, #3\n str r1, [r0, #60]\n mrs r1, xpsr\n orr r1, #0x1000000\n"
      "str r1, [r0, #64]\n b fault_taken\n");
}

/* setjmp for what the firmware does in `call`. */
#define CPU(...)                 \
  do {                           \
    jmp_buf here;                \
    trapped = 0;                 \
    if (setjmp(here)) trapped = 1; \
    else {                       \
      running = &here;           \
      __VA_ARGS__;               \
    }                            \
    running = 0;                 \
  } while (0)

u32 Z_cpuZ_machine(struct Z_cpu_instance_t *cpu) { return EM_ARM; }
void Z_cpuZ_build(struct Z_cpu_instance_t *cpu, u32 at) { memcpy(agent_memory + at, BUILD_ID, 16); }
u32 Z_cpuZ_reset(struct Z_cpu_instance_t *cpu, u32 units) {
  ram.size = units * UNIT_BYTES;
  ram.pages = ram.max_pages = units;
  memset(ram.data, 0, ram.size);
  return units != 0;
}
void Z_cpuZ_start(struct Z_cpu_instance_t *cpu) {
  void *a = &agent; /* every device but the memory */
  CPU({
    Z_firmware_instantiate(&firmware, a, 0, a, a, a, a, a, a, a, a, a, a, a);
    Z_firmwareZ_start(&firmware);
  });
}
u32 Z_cpuZ_place_address(struct Z_cpu_instance_t *cpu) { return Z_firmwareZ_place_address(&firmware); }
u32 Z_cpuZ_build_address(struct Z_cpu_instance_t *cpu) { return Z_firmwareZ_build_address(&firmware); }
void Z_cpuZ_boot_board(struct Z_cpu_instance_t *cpu, u32 us) { CPU(Z_firmwareZ_boot_board(&firmware, us)); }
u32 Z_cpuZ_cycle(struct Z_cpu_instance_t *cpu) {
  static u32 idle;
  idle = 0;
  waited = false;
  u32 from = now_clocks();
  CPU(idle = Z_firmwareZ_cycle(&firmware));
  if (!waited && !trapped) count(now_clocks() - from);
  return idle;
}
void Z_cpuZ_interrupt(struct Z_cpu_instance_t *cpu, u32 lines) { CPU(Z_firmwareZ_interrupt(&firmware, lines)); }
void Z_cpuZ_nmi(struct Z_cpu_instance_t *cpu, u32 reason, u32 pc, u32 address) {
  capture();
  record();
  CPU(Z_firmwareZ_nmi(&firmware, reason, pc, address));
}
u32 Z_cpuZ_trapped(struct Z_cpu_instance_t *cpu) { return trapped; }
u32 Z_cpuZ_pc(struct Z_cpu_instance_t *cpu) { return trap_pc; }

/* ------------------------------------------------------------------------------------------------ RAM and line */

u32 Z_ramZ_room(struct Z_ram_instance_t *self) { return (u32)(board_ram_end - board_ram) / UNIT_BYTES; }
void Z_ramZ_read(struct Z_ram_instance_t *self, u32 address, u32 at, u32 bytes) {
  memcpy(agent_memory + at, ram.data + address, bytes);
}
void Z_ramZ_write(struct Z_ram_instance_t *self, u32 address, u32 at, u32 bytes) {
  memcpy(ram.data + address, agent_memory + at, bytes);
}
u32 Z_wireZ_read(struct Z_wire_instance_t *self, u32 at, u32 room) { return uart_read(agent_memory + at, room); }
u32 Z_wireZ_write(struct Z_wire_instance_t *self, u32 at, u32 bytes) { return uart_write(agent_memory + at, bytes); }
void Z_wireZ_wait(struct Z_wire_instance_t *self, u32 us) {
  waited = true;
  uart_wait(us);
}
u32 Z_wireZ_now(struct Z_wire_instance_t *self) { return now_us(); }

/* What the UART alone can do: RAM as it is, without a link. No frame of a host begins with this byte four times; what of them is lost while the UART starts does not matter. */
static void raw(void) {
  for (u32 sent = 0; sent < RAW_BYTES; uart_wait(1000)) sent += uart_write(board_ram + sent, RAW_BYTES - sent);
  while (!uart_sent()) uart_wait(1000);
}

int main(void) {
  memset(&counts, 0, sizeof counts);
  tick_start();
  uart_start();
  if (uart_begins('R', 4)) {
    raw();
    return 0;
  }
  /* When the host's first bytes come nobody can know to the microsecond: it tells this life from the last one. */
  u32 nonce = now_us();
  Z_agent_init_module();
  Z_firmware_init_module();
  Z_agent_instantiate(&agent, 0, 0, 0);
  Z_agentZ_start(&agent);
  Z_agentZ_run(&agent, nonce);
  return 0;
}
