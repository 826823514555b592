package org.relaydiffusion.checkpoint;

import org.relaydiffusion.checkpoint.archive.CheckpointFile.Container;

/** How a checkpoint file is packed; told by its content, never by its name. */
public enum CheckpointFormat {
  /** A header of JSON, then tensors: what this project writes. */
  SAFETENSORS("safetensors"),
  /** A zip of a pickle and storages: what {@code torch.save} writes. */
  TORCH_ZIP("torch zip"),
  /** A stream of pickles and storages: what {@code torch.save} wrote before PyTorch 1.6. */
  TORCH_LEGACY("torch legacy stream"),
  /** A bare pickle: the official network snapshots. */
  PICKLE("pickle"),
  /** A bare pickle of a single module: how others hand Inception out. */
  MODULE("pickle of one module"),
  /** A zip of a program, its attributes and storages: what {@code torch.jit.save} writes. */
  TORCH_SCRIPT("TorchScript archive");

  private final String label;

  CheckpointFormat(String label) {
    this.label = label;
  }

  /** That of a container. */
  static CheckpointFormat of(Container container) {
    return switch (container) {
      case SAFETENSORS -> SAFETENSORS;
      case TORCH_ZIP -> TORCH_ZIP;
      case TORCH_LEGACY -> TORCH_LEGACY;
      case PICKLE -> PICKLE;
    };
  }

  /** A name for people. */
  public String label() {
    return label;
  }
}
