// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import org.relaydiffusion.checkpoint.archive.CheckpointFile.Container;

/** The format of a checkpoint file, determined by its content, never by its name. */
public enum CheckpointFormat {
  /** A JSON header followed by tensors: the format written by this project. */
  SAFETENSORS("safetensors"),
  /** A zip of a pickle and storages: written by {@code torch.save}. */
  TORCH_ZIP("torch zip"),
  /** A stream of pickles and storages: written by {@code torch.save} before PyTorch 1.6. */
  TORCH_LEGACY("torch legacy stream"),
  /** A bare pickle: the official network snapshots. */
  PICKLE("pickle"),
  /** A bare pickle of a single module: a published Inception-v3. */
  MODULE("pickle of one module"),
  /** A zip of a program, its attributes and storages: written by {@code torch.jit.save}. */
  TORCH_SCRIPT("TorchScript archive");

  private final String label;

  CheckpointFormat(String label) {
    this.label = label;
  }

  /** Returns the format of a container. */
  static CheckpointFormat of(Container container) {
    return switch (container) {
      case SAFETENSORS -> SAFETENSORS;
      case TORCH_ZIP -> TORCH_ZIP;
      case TORCH_LEGACY -> TORCH_LEGACY;
      case PICKLE -> PICKLE;
    };
  }

  /** Returns the name for display. */
  public String label() {
    return label;
  }
}
