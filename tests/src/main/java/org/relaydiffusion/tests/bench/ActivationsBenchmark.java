// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.IntStream;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.diffusion.data.DataLoader;
import org.relaydiffusion.diffusion.data.DatasetOptions;
import org.relaydiffusion.diffusion.data.ImageFolderDataset;
import org.relaydiffusion.diffusion.image.Compression;
import org.relaydiffusion.diffusion.image.PngWriter;
import org.relaydiffusion.io.StoredZipWriter;
import org.relaydiffusion.metrics.extraction.ActivationsExtraction;
import org.relaydiffusion.metrics.extraction.ExtractionListener;
import org.relaydiffusion.metrics.extraction.ExtractionOptions;
import org.relaydiffusion.metrics.extraction.ExtractionOptions.Content;
import org.relaydiffusion.metrics.extraction.ExtractionOptions.Leftovers;
import org.relaydiffusion.metrics.extraction.ExtractionOptions.Network;
import org.relaydiffusion.metrics.extraction.ExtractionOptions.Share;
import org.relaydiffusion.metrics.extraction.ExtractionResult;
import org.relaydiffusion.metrics.inception.FeatureExtractor;
import org.relaydiffusion.metrics.inception.Inception;
import org.relaydiffusion.metrics.inception.InceptionFeatures;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.nativeconfig.Settings;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.Torch;

/**
 * Time and memory of extracting features: the peak resident set size must not grow with the number
 * of images. Inception is replaced by a network without cost (with features of the same size), so
 * that decoding, waiting, parts and joining are measured; decoding alone is measured for
 * comparison. With {@code inception}, the network itself is used with random weights, from a zip.
 *
 * <p>The images are 256 pixels wide, 128 different ones under as many names as there are images.
 * Each extraction has a separate JVM with a heap of fixed size.
 *
 * <p>Arguments: {@code [inception] [images...]}; default 1000 and 10000.
 */
public final class ActivationsBenchmark {
  private static final int DIFFERENT = 128;
  private static final int SIDE = 256;
  private static final int BATCH = 64;
  private static final String HEAP = "64m";
  private static final String CHILD = "--child";
  private static final String DECODING = "decoding";
  private static final String INCEPTION = "inception";

  private ActivationsBenchmark() {}

  /** Runs the benchmark. */
  public static void main(String[] args) throws IOException, InterruptedException {
    LibTorch.configure(Settings.APPLICATION);
    List<String> words = List.of(args);
    if (words.size() == 5 && words.getFirst().equals(CHILD)) {
      child(Path.of(args[1]), Path.of(args[2]), args[3], Path.of(args[4]));
      return;
    }
    boolean isReal = !words.isEmpty() && words.getFirst().equals(INCEPTION);
    List<Integer> counts = words.stream().skip(isReal ? 1 : 0).map(Integer::valueOf).toList();
    Path folder = Files.createTempDirectory("rdm-activations-");
    try {
      Path weights = isReal ? RandomInception.write(folder) : folder;
      List<String> programs =
          isReal ? List.of(INCEPTION) : List.of(DECODING, "activations", "moments");
      System.out.printf(
          "%-12s %8s %9s %10s %11s %10s%n",
          "", "images", "images/s", "seconds", "joining", "peak (MB)");
      for (int count : counts.isEmpty() ? List.of(1000, 10_000) : counts) {
        Path data = isReal ? zip(folder, count) : names(folder, count);
        for (String program : programs) {
          run(data, folder.resolve(program + ".npz"), program, weights, count);
        }
      }
    } finally {
      TemporaryFolder.delete(folder);
    }
  }

  private static void run(Path data, Path target, String program, Path weights, int count)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-Xms" + HEAP,
                "-Xmx" + HEAP,
                "-XX:+AlwaysPreTouch",
                "-cp",
                System.getProperty("java.class.path"),
                ActivationsBenchmark.class.getName(),
                CHILD,
                data.toString(),
                target.toString(),
                program,
                weights.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    List<String> output = process.inputReader().lines().toList();
    if (process.waitFor() != 0 || output.isEmpty()) {
      throw new IllegalStateException("the child for %s failed".formatted(program));
    }
    String[] figures = output.getLast().split(" ", -1);
    System.out.printf(
        Locale.ROOT,
        "%-12s %8d %9.0f %10.2f %11.2f %10.1f%n",
        program,
        count,
        Double.parseDouble(figures[0]),
        Double.parseDouble(figures[1]),
        Double.parseDouble(figures[2]),
        Long.parseLong(figures[3]) / 1e6);
    Files.deleteIfExists(target);
  }

  private static void child(Path data, Path target, String program, Path weights) {
    Torch.library();
    long start = System.nanoTime();
    double[] figures =
        switch (program) {
          case DECODING -> decode(data);
          case INCEPTION -> {
            LoadOptions options = new LoadOptions(Numerics.FAST, DType.FLOAT32, Device.CPU);
            try (Inception inception = Inception.open(weights, options)) {
              yield extract(data, target, Content.ACTIVATIONS, inception);
            }
          }
          default ->
              extract(
                  data,
                  target,
                  Content.valueOf(program.toUpperCase(Locale.ROOT)),
                  ActivationsBenchmark::features);
        };
    double seconds = (System.nanoTime() - start) / 1e9;
    System.out.println(
        "%s %s %s %s"
            .formatted(figures[0], figures[1], seconds - figures[1], ProcessMemory.peak()));
  }

  /** Images a second, and seconds. */
  private static double[] extract(
      Path data, Path target, Content content, FeatureExtractor network) {
    ExtractionOptions options =
        new ExtractionOptions(
            data,
            Set.of(),
            OptionalInt.empty(),
            0,
            target,
            content,
            Leftovers.DISCARD,
            BATCH,
            1,
            Device.CPU,
            new Network("none", Numerics.FAST),
            new Share(0, 1, Duration.ZERO));
    ExtractionResult result =
        new ActivationsExtraction(options)
            .run(network, ExtractionListener.NONE, new Cancellation());
    return new double[] {result.imagesPerSecond(), result.seconds()};
  }

  private static InceptionFeatures features(Tensor images) {
    Tensor pixels = images.reshape(images.size(0), -1);
    int pool = InceptionFeatures.POOL_DIM;
    return new InceptionFeatures(
        Shapes.narrow(pixels, 1, 0, pool).to(DType.FLOAT32),
        Shapes.narrow(pixels, 1, pool, InceptionFeatures.SPATIAL_DIM).to(DType.FLOAT32));
  }

  private static double[] decode(Path data) {
    long start = System.nanoTime();
    try (ImageFolderDataset dataset = ImageFolderDataset.open(data, DatasetOptions.DEFAULT)) {
      int images = dataset.size();
      Iterator<int[]> batches =
          IntStream.iterate(0, at -> at < images, at -> at + BATCH)
              .mapToObj(at -> IntStream.range(at, Math.min(at + BATCH, images)).toArray())
              .iterator();
      try (DataLoader loader = new DataLoader(dataset, batches, 1, Device.CPU)) {
        for (int at = 0; at < images; at += BATCH) {
          loader.next().close();
        }
      }
      double seconds = (System.nanoTime() - start) / 1e9;
      return new double[] {images / seconds, seconds};
    }
  }

  /** Creates a folder with {@code count} names for the images in {@code folder}. */
  private static Path names(Path folder, int count) throws IOException {
    Path data = Files.createDirectories(folder.resolve(count + "-images"));
    for (int i = 0; i < count; i++) {
      Files.createLink(data.resolve(name(i)), original(folder, i));
    }
    return data;
  }

  /** An archive of {@code count} members. */
  private static Path zip(Path folder, int count) throws IOException {
    Path data = folder.resolve(count + "-images.zip");
    try (FileChannel out =
        FileChannel.open(data, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      StoredZipWriter writer = new StoredZipWriter(out, StoredZipWriter.Layout.NUMPY);
      for (int i = 0; i < count; i++) {
        writer.add(name(i), Files.readAllBytes(original(folder, i)));
      }
      writer.finish();
    }
    return data;
  }

  private static String name(int image) {
    return String.format(Locale.ROOT, "%06d.png", image);
  }

  private static Path original(Path folder, int image) throws IOException {
    Path original = folder.resolve(image % DIFFERENT + ".png");
    if (Files.notExists(original)) {
      byte[] png = PngWriter.encode(DataBenchmark.picture(SIDE, image), Compression.STORED);
      Files.write(original, png);
    }
    return original;
  }
}
