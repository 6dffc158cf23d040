/**
 * Of a function process whose memory is watched. The young generation is as large as V8 makes it in a pod of 256 MiB (8
 * MiB; 128 on a machine with more, which looks like a leak), the old one smaller: what is kept for ever ends in a crash.
 */
export const smallHeap = { NODE_OPTIONS: "--max-old-space-size=64 --max-semi-space-size=4" };
