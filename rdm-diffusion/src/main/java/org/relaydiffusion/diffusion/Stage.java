package org.relaydiffusion.diffusion;

/** One of the relay's two diffusions. */
public enum Stage {
  /** The ordinary diffusion at low resolution. */
  FIRST,
  /** The blurring diffusion at high resolution. */
  SECOND
}
