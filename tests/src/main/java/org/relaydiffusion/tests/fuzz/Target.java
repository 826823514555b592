// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.fuzz;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * A reader and its inputs. If a format is compressed or has checksums, the input is the content,
 * which is packed again before it is read: otherwise, nearly all mutations would fail at that
 * stage.
 */
enum Target {
  /** Official checkpoints and safetensors files, whole. */
  CHECKPOINT(Readers::checkpoint, 1 << 18, ".pkl", ".pt", ".safetensors"),
  /** The pickle inside torch's zip, with one storage beside it. */
  TORCH_ZIP(in -> Readers.checkpoint(Containers.torchZip(in)), 1 << 16, ".pkl"),
  /** TorchScript archives and other files of weights that are read as tensors only. */
  MODULE(Readers::module, 1 << 18, ".pt", ".pkl"),
  /** A safetensors file's header, before tensors of 64 KiB. */
  SAFETENSORS_HEADER(
      in -> Readers.checkpoint(Containers.safetensors(in)), 1 << 15, ".safetensors-header"),
  /** One array of numpy. */
  NPY(in -> Readers.activations(Containers.npz(in)), 1 << 16, ".npy"),
  /** Activation files, whole. */
  NPZ(Readers::activations, 1 << 17, ".npz"),
  /** PNG with checksums made right. */
  PNG(in -> Readers.picture(Containers.withChecksums(in)), 1 << 16, ".png"),
  /** The header's values and the unpacked rows of a PNG. */
  PNG_ROWS(in -> Readers.picture(Containers.png(in)), 1 << 14, ".png-rows"),
  /** The texts of a PNG with checksums made right. */
  PNG_TEXT(in -> Readers.pngText(Containers.withChecksums(in)), 1 << 16, ".png"),
  /** JPEG. */
  JPEG(in -> Readers.picture(Containers.beginning(in, 0xff, 0xd8, 0xff)), 1 << 16, ".jpg"),
  /** TIFF of either byte order. */
  TIFF(in -> Readers.picture(Containers.tiff(in)), 1 << 16, ".tif", ".tiff"),
  /** BMP. */
  BMP(in -> Readers.picture(Containers.beginning(in, 'B', 'M')), 1 << 16, ".bmp"),
  /** GIF. */
  GIF(in -> Readers.picture(Containers.beginning(in, 'G', 'I', 'F', '8')), 1 << 16, ".gif"),
  /** WebP, lossy and lossless. */
  WEBP(in -> Readers.picture(Containers.webp(in)), 1 << 16, ".webp"),
  /** PBM, PGM and PPM. */
  NETPBM(Readers::picture, 1 << 14, ".pnm", ".pbm", ".pgm", ".ppm"),
  /** Zips of images, by the data set tool's reader and training's. */
  ZIP(Readers::zip, 1 << 17, ".zip"),
  /** dataset.json, by both readers. */
  LABELS(in -> Readers.zip(Containers.labelledZip(in)), 1 << 14, ".labels.json"),
  /** LMDB data files. */
  LMDB(Readers::lmdb, 1 << 16, ".mdb"),
  /** A batch of CIFAR-10, in its archive. */
  CIFAR(in -> Readers.cifar(Containers.cifar(in)), 1 << 16, ".cifar"),
  /** MNIST's IDX files: the images'; the labels'. */
  MNIST(Readers::mnist, 1 << 14, ".idx"),
  /** What a run finds in its own folder: stats.jsonl, options.json. */
  RUN_FILES(Readers::runFiles, 1 << 14, ".jsonl"),
  /** The description of a pipeline folder. */
  PIPELINE(Readers::pipeline, 1 << 14, ".pipeline.json"),
  /** The text of an image that --like reads. */
  ORIGIN(Readers::origin, 1 << 14, ".origin.json"),
  /** A library's headers. */
  LIBRARY(Readers::library, 1 << 14, ".so"),
  /** Values of options: seeds, sizes, stages, devices, addresses. */
  OPTIONS(Readers::options, 1 << 10, ".option"),
  /** What torchrun, Slurm, Open MPI and Kubernetes leave in the environment. */
  ENVIRONMENT(Readers::environment, 1 << 10, ".env");

  /** Reads an input, and closes everything that it creates. */
  @FunctionalInterface
  interface Reader {
    /**
     * Reads one input to its end.
     *
     * @throws Exception an {@link org.relaydiffusion.RdmException}; any other is a finding
     */
    void read(byte[] input) throws Exception;
  }

  @SuppressWarnings("ImmutableEnumChecker") // Functions without state.
  private final Reader reader;

  private final int mostBytes;

  @SuppressWarnings("ImmutableEnumChecker") // A list that cannot be changed.
  private final List<String> endings;

  Target(Reader reader, int mostBytes, String... endings) {
    this.reader = reader;
    this.mostBytes = mostBytes;
    this.endings = List.of(endings);
  }

  /** As the command line and the folders of the corpus name it. */
  String text() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * The target of a name.
   *
   * @throws IllegalArgumentException naming those there are
   */
  static Target of(String text) {
    return Arrays.stream(values())
        .filter(target -> target.text().equals(text))
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(
                "unknown target '%s'; expected one of %s"
                    .formatted(
                        text,
                        Arrays.stream(values())
                            .map(Target::text)
                            .collect(Collectors.joining(", ")))));
  }

  Reader reader() {
    return reader;
  }

  /** Returns the maximum length of generated inputs. */
  int mostBytes() {
    return mostBytes;
  }

  /** Returns the extension of the corpus files of this kind. */
  List<String> endings() {
    return endings;
  }
}
