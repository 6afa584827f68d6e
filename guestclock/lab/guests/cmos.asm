; One boot sector that reads the CMOS clock, prints it over COM1 and ends QEMU.
;
; It prints the registers as they are, in hexadecimal, most significant first: century, year, month,
; day, hour, minute, second, and status register B, which tells how to read them. QEMU must have
; `-device isa-debug-exit,iobase=0xf4,iosize=4`; it then leaves with status 33.

        bits    16
        cpu     386
        org     0x7c00

COM1            equ 0x3f8
DEBUG_EXIT      equ 0xf4
FIGURES         equ 8

        jmp     0:begin
begin:  xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, 0x7c00
        cld
        mov     di, seen
        call    read
again:  mov     di, seen + FIGURES      ; two equal readings outside an update are a true one
        call    read
        mov     si, seen
        mov     di, seen + FIGURES
        mov     cx, FIGURES / 2
        repe    cmpsw
        je      print
        mov     si, seen + FIGURES
        mov     di, seen
        mov     cx, FIGURES / 2
        rep     movsw
        jmp     again

read:   mov     al, 0x0a
        out     0x70, al
        in      al, 0x71
        test    al, 0x80                ; update in progress
        jnz     read
        mov     si, registers
        mov     cx, FIGURES
.next:  lodsb
        out     0x70, al
        in      al, 0x71
        stosb
        loop    .next
        ret

print:  mov     si, seen
        mov     cx, FIGURES
.next:  lodsb
        aam     16
        push    ax
        mov     al, ah
        call    figure
        pop     ax
        call    figure
        loop    .next
        mov     al, 10
        call    put
        mov     al, 16
        mov     dx, DEBUG_EXIT
        out     dx, al
stop:   hlt
        jmp     stop

figure: and     al, 0x0f
        cmp     al, 10
        sbb     al, 0x69
        das                             ; 0-9, A-F
put:    push    ax
        mov     dx, COM1 + 5
.busy:  in      al, dx
        test    al, 0x20
        jz      .busy
        pop     ax
        mov     dx, COM1
        out     dx, al
        ret

registers db 0x32, 0x09, 0x08, 0x07, 0x04, 0x02, 0x00, 0x0b

        times   510 - ($ - $$) db 0
        dw      0xaa55

        absolute 0x7e00
seen    resb    2 * FIGURES
