/* The bootloader on a native board: what firmware/bootloader/device.ts asks for. */
#include "board.h"
#include "bootloader.h"

extern u32 program_start[]; /* where an image runs */
static u8 memory_bytes[65536] __attribute__((aligned(16)));
static wasm_rt_memory_t memory = {memory_bytes, 1, 1, sizeof memory_bytes};
static Z_bootloader_instance_t bootloader;

u32 wasm_rt_register_func_type(u32 params, u32 results, ...) { return 0; }
wasm_rt_memory_t *Z_envZ_memory(struct Z_env_instance_t *env) { return &memory; }
void wasm_rt_trap(wasm_rt_trap_t code) { reset(); }
void fault_taken(void) { reset(); }

u32 Z_uartZ_read(struct Z_uart_instance_t *self) {
  u8 byte;
  return uart_read(&byte, 1) ? byte : 0xffffffff;
}
void Z_uartZ_write(struct Z_uart_instance_t *self, u32 at, u32 bytes) {
  for (u32 done = 0; done < bytes; uart_wait(1000)) done += uart_write(memory_bytes + at + done, bytes - done);
}
u32 Z_flashZ_erase(struct Z_flash_instance_t *self, u32 at, u32 bytes) { return flash_erase(at, bytes); }
u32 Z_flashZ_write(struct Z_flash_instance_t *self, u32 at, u32 from, u32 bytes) {
  return flash_write(at, memory_bytes + from, bytes);
}
void Z_flashZ_read(struct Z_flash_instance_t *self, u32 at, u32 to, u32 bytes) {
  flash_read(at, memory_bytes + to, bytes);
}
u32 Z_timerZ_now_ms(struct Z_timer_instance_t *self) { return now_ms(); }
u32 Z_resetZ_recovery(struct Z_reset_instance_t *self) { return kept.recovery == KEPT_RECOVERY; }
void Z_resetZ_reboot(struct Z_reset_instance_t *self) {
  while (!uart_sent()) uart_wait(1000);
  reset();
}

/* The image has been found good: it is small enough. */
void Z_resetZ_jump(struct Z_reset_instance_t *self, u32 at) {
  u32 header[HEADER_WORDS];
  flash_read(at, header, sizeof header);
  flash_read(at + (header[HEADER_SIZE_WORD] & 0xffff), program_start, header[HEADER_IMAGE_WORD]);
  kept.slot = at;
  run_program(program_start);
}

int main(void) {
  tick_start();
  uart_start();
  Z_bootloader_init_module();
  Z_bootloader_instantiate(&bootloader, 0, 0, 0, 0, 0);
  Z_bootloaderZ_start(&bootloader);
  Z_bootloaderZ_boot(&bootloader);
  for (kept.recovery = 0;; Z_bootloaderZ_poll(&bootloader))
    if (uart_idle()) uart_wait(10000);
}
