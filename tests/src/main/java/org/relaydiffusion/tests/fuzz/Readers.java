// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.fuzz;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.checkpoint.Checkpoint;
import org.relaydiffusion.checkpoint.ModuleFile;
import org.relaydiffusion.checkpoint.NetworkValidator;
import org.relaydiffusion.checkpoint.StoredTensor;
import org.relaydiffusion.checkpoint.TrainingState;
import org.relaydiffusion.diffusion.PipelineFolder;
import org.relaydiffusion.diffusion.StageRange;
import org.relaydiffusion.diffusion.data.DatasetOptions;
import org.relaydiffusion.diffusion.data.ImageFolderDataset;
import org.relaydiffusion.diffusion.data.convert.Crop;
import org.relaydiffusion.diffusion.data.convert.ImageSource;
import org.relaydiffusion.diffusion.data.convert.ImageSources;
import org.relaydiffusion.diffusion.data.convert.Resolution;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.diffusion.image.PngText;
import org.relaydiffusion.diffusion.random.Seeds;
import org.relaydiffusion.io.zip.ZipArchive;
import org.relaydiffusion.io.zip.ZipMember;
import org.relaydiffusion.launch.rank.Endpoint;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.launch.rank.Rendezvous;
import org.relaydiffusion.launch.rank.RunAttempt;
import org.relaydiffusion.metrics.Activations;
import org.relaydiffusion.metrics.ActivationsFile;
import org.relaydiffusion.metrics.Feature;
import org.relaydiffusion.metrics.SampleArray;
import org.relaydiffusion.metrics.WorkOptions;
import org.relaydiffusion.metrics.npy.NpyReader;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Tensor;

/** Reads an input as the commands do, including everything that they would read of it. */
final class Readers {
  private static final int MOST_PICTURES = 4;
  private static final Path NAME = Path.of("picture");
  private static final Path FOLDER = folder();

  private Readers() {}

  private static Path folder() {
    try {
      Path memory = Path.of("/dev/shm");
      Path folder =
          Files.isWritable(memory)
              ? Files.createTempDirectory(memory, "rdm-fuzz")
              : Files.createTempDirectory("rdm-fuzz");
      Runtime.getRuntime().addShutdownHook(new Thread(() -> Containers.delete(folder)));
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path file(String name, byte[] input) throws IOException {
    return Files.write(FOLDER.resolve(name), input);
  }

  /** {@code inspect}, {@code convert}, the start of {@code generate}, and resuming a run. */
  static void checkpoint(byte[] input) throws IOException {
    try (Checkpoint checkpoint = Checkpoint.open(file("checkpoint.pt", input))) {
      List<Runnable> steps =
          List.of(
              () -> checkpoint.summary().lines(),
              () -> checkpoint.tensors().values().forEach(StoredTensor::data),
              () -> checkpoint.networks().values().forEach(n -> n.state()),
              () ->
                  checkpoint
                      .networks()
                      .values()
                      .forEach(n -> NetworkValidator.definition().validate(n)),
              () -> TrainingState.of(checkpoint),
              () ->
                  Hidden.call(
                      "org.relaydiffusion.diffusion.train.ResumePoint",
                      "of",
                      Checkpoint.class,
                      checkpoint));
      all(steps);
    }
  }

  /** {@code convert --inception}. */
  static void module(byte[] input) throws IOException {
    try (ModuleFile module = ModuleFile.open(file("module.pt", input))) {
      module.tensors().values().forEach(StoredTensor::data);
      module.metadata();
      module.valuesSha256();
    }
  }

  /** {@code evaluate}, of activations and of samples. */
  static void activations(byte[] input) throws IOException {
    Path file = file("activations.npz", input);
    all(List.of(() -> readActivations(file), () -> readSamples(file)));
  }

  /** As for the second of two processes: not from the first image on. */
  private static void readSamples(Path path) {
    try (SampleArray array = SampleArray.open(path);
        NpyReader pass = array.pass()) {
      pass.skip(Math.min(MOST_PICTURES, array.count() - 1));
      pass.read(1).close();
      array.checksum();
    }
  }

  private static void readActivations(Path path) {
    try (ActivationsFile file = ActivationsFile.open(path)) {
      all(
          Arrays.stream(Feature.values())
              .<Runnable>mapMulti((feature, steps) -> {
                steps.accept(() -> readRows(file, feature));
                steps.accept(() -> readMoments(file, feature));
              })
              .toList());
    }
  }

  private static void readRows(ActivationsFile file, Feature feature) {
    Activations activations = file.activations(feature, "a test");
    try (Activations.Reader rows = activations.open()) {
      try (Tensor some = rows.read(16)) {
        some.shape();
      }
    }
  }

  /** Reads stored moments; computing them from rows would not test reading. */
  private static void readMoments(ActivationsFile file, Feature feature) {
    if (!file.hasActivations(feature)) {
      file.moments(feature, "a test", WorkOptions.defaults().withThreads(1)).close();
    }
  }

  /** Any image, and its size alone, as training asks for it. */
  static void picture(byte[] input) {
    RdmException refusal = refusal(() -> PictureReader.size(input, NAME));
    PictureReader.decode(input, NAME);
    if (refusal != null) {
      throw refusal;
    }
  }

  /** The texts of an image. */
  static void pngText(byte[] input) {
    PngText.decode(input, NAME);
  }

  /** {@code dataset} and {@code train}. */
  static void zip(byte[] input) throws IOException {
    Path zip = file("pictures.zip", input);
    all(List.of(() -> contents(zip), () -> convert(zip), () -> train(zip)));
  }

  private static void contents(Path zip) {
    try (ZipArchive contents = ZipArchive.open(zip)) {
      for (ZipMember member : contents.members().stream().limit(MOST_PICTURES).toList()) {
        contents.nameOf(member);
        contents.read(member, 1 << 26);
      }
    }
  }

  private static void convert(Path source) {
    try (ImageSource pictures = ImageSources.open(source, OptionalInt.empty(), Optional.empty())) {
      for (int i = 0; i < Math.min(pictures.size(), MOST_PICTURES); i++) {
        pictures.name(i);
        if (pictures.labels().has(i)) {
          pictures.labels().label(i);
        }
        pictures.read(i);
      }
    }
  }

  private static void train(Path source) {
    DatasetOptions options = DatasetOptions.DEFAULT.withLabels().withMirrored();
    try (ImageFolderDataset pictures = ImageFolderDataset.open(source, options)) {
      for (int i = 0; i < Math.min(pictures.size(), MOST_PICTURES); i++) {
        pictures.image(i);
        pictures.label(i);
      }
      pictures.fingerprint(1);
    }
  }

  static void lmdb(byte[] input) throws IOException {
    convert(file("data.mdb", input));
  }

  /** The whole archive of CIFAR-10. */
  static void cifar(byte[] archive) throws IOException {
    convert(file("cifar-10-python.tar.gz", archive));
  }

  /** The input as the images, then as the labels of MNIST; the other file is right. */
  static void mnist(byte[] input) throws IOException {
    byte[] packed = Containers.gzip(input);
    Path images = file("train-images-idx3-ubyte.gz", packed);
    file("train-labels-idx1-ubyte.gz", Containers.gzip(Containers.idx(0x801)));
    RdmException refusal = refusal(() -> convert(images));
    file("train-labels-idx1-ubyte.gz", packed);
    file("train-images-idx3-ubyte.gz", Containers.gzip(Containers.idx(0x803, 28, 28)));
    convert(images);
    if (refusal != null) {
      throw refusal;
    }
  }

  /** What a run reads of its own folder. */
  static void runFiles(byte[] input) throws IOException {
    Path file = file("stats.jsonl", input);
    Path options = file("options.json", input);
    all(
        List.of(
            () ->
                Hidden.make("org.relaydiffusion.diffusion.train.StatsFile", file, Path.class, 1.5),
            () ->
                Hidden.call(
                    "org.relaydiffusion.launch.evaluation.SamplingOptionsFile",
                    "read",
                    Path.class,
                    options)));
  }

  /** {@code generate --pipeline} and {@code inspect}: the description, beside empty networks. */
  static void pipeline(byte[] input) throws IOException {
    file("pipeline.json", input);
    file("first.safetensors", new byte[0]);
    file("second.safetensors", new byte[0]);
    PipelineFolder.open(FOLDER).verify();
  }

  /** {@code generate --like}. */
  static void origin(byte[] input) throws IOException {
    Path picture = file("origin.png", Containers.pngWithText("rdm", input));
    Hidden.call("org.relaydiffusion.launch.sampling.PictureOrigin", "read", Path.class, picture);
  }

  static void library(byte[] input) throws IOException {
    Path file = file("library.so", input);
    Hidden.call("org.relaydiffusion.nativeconfig.ElfFile", "check", Path.class, file);
  }

  /** Every option's value that is more than a number or a word from a list. */
  static void options(byte[] input) {
    String text = new String(input, StandardCharsets.UTF_8);
    List<Consumer<String>> parsers =
        List.of(
            Seeds::parse,
            StageRange::parse,
            Resolution::parse,
            Crop::parse,
            Device::parse,
            t -> Endpoint.parse("--master", t),
            t -> Endpoint.port("--port", t));
    all(parsers.stream().<Runnable>map(p -> () -> p.accept(text)).toList());
  }

  /** Lines of {@code NAME=value}. */
  static void environment(byte[] input) {
    Map<String, String> variables = new HashMap<>();
    new String(input, StandardCharsets.UTF_8)
        .lines()
        .forEach(line -> {
          int equals = line.indexOf('=');
          if (equals > 0) {
            variables.put(line.substring(0, equals), line.substring(equals + 1));
          }
        });
    all(
        List.of(
            () -> RunAttempt.of(variables), () -> Rendezvous.of(variables, Rank.of(variables))));
  }

  /** Takes every step, whichever is refused, and throws the last refusal. */
  private static void all(List<Runnable> steps) {
    RdmException last = null;
    for (Runnable step : steps) {
      RdmException refusal = refusal(step);
      last = refusal == null ? last : refusal;
    }
    if (last != null) {
      throw last;
    }
  }

  private static @Nullable RdmException refusal(Runnable step) {
    try {
      step.run();
      return null;
    } catch (RdmException e) {
      return e;
    }
  }
}
