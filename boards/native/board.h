/* Parts of the board support for a SmartFusion2 board (Emcraft M2S-FG484: Cortex-M3, 64 MiB of DDR). */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stdint.h>

typedef uint32_t u32;

#define REGISTER(address) (*(volatile u32 *)(address))

/* startup.c */
struct registers {
  u32 r[16], xpsr;
};
extern struct registers captured; /* at the last trap or fault */
_Noreturn void reset(void);
/* Leaves the firmware; resets the board when none runs. */
_Noreturn void fault_taken(void);
extern u32 stack_bottom[], stack_top[];
/* What cycles of the firmware took in which nothing was waited for; a debugger or QEMU's monitor reads it. */
struct counts {
  u32 cycles, least, most, total;
};
extern struct counts counts;

_Noreturn void run_program(const u32 *vectors);
/* What a reset leaves as it is: what the bootloader and an image tell each other. */
struct kept {
  u32 recovery, slot;
};
extern struct kept kept;
#define KEPT_RECOVERY 0x52435652 /* the image asks for the bootloader */

/* flash.c: true when it could not be done */
void flash_read(u32 at, void *to, u32 bytes);
bool flash_write(u32 at, const void *from, u32 bytes);
bool flash_erase(u32 at, u32 bytes);

/* uart.c */
enum { UART0_IRQ = 10 };
void uart_start(void);
void uart_drain(void);
bool uart_idle(void); /* nothing has come */
bool uart_sent(void); /* all has gone */
u32 uart_read(uint8_t *to, u32 room);
u32 uart_write(const uint8_t *from, u32 bytes);
void uart_wait(u32 us);

void tick_start(void);
u32 now_us(void);
u32 now_ms(void);
u32 now_clocks(void); /* of 142 MHz */

#endif
