/** Whether the suite runs whole, as a CI does; a developer's run takes a part of everything. HOSTILE=whole asks for it. */
export const isWhole = process.env.CI === "true" || process.env.HOSTILE === "whole";
