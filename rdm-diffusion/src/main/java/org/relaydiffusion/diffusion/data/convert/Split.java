package org.relaydiffusion.diffusion.data.convert;

/** Which part of a published data set is meant. */
public enum Split {
  /** The pictures to train on. */
  TRAIN,
  /** Those kept back for tests. */
  TEST
}
