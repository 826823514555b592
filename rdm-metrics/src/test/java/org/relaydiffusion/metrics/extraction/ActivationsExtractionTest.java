// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.extraction;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.IntStream;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.FileException;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.metrics.Activations;
import org.relaydiffusion.metrics.ActivationsFile;
import org.relaydiffusion.metrics.Feature;
import org.relaydiffusion.metrics.Moments;
import org.relaydiffusion.metrics.Provenance;
import org.relaydiffusion.metrics.SampleArray;
import org.relaydiffusion.metrics.WorkOptions;
import org.relaydiffusion.metrics.extraction.ExtractionOptions.Content;
import org.relaydiffusion.metrics.extraction.ExtractionOptions.Share;
import org.relaydiffusion.metrics.inception.FeatureExtractor;
import org.relaydiffusion.metrics.inception.InceptionFeatures;
import org.relaydiffusion.metrics.npy.NpyReader;
import org.relaydiffusion.metrics.npy.NpzFile;
import org.relaydiffusion.metrics.npy.NpzWriter;
import org.relaydiffusion.torch.CudaPrecision.Tf32;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

class ActivationsExtractionTest {
  /** Five chunks, the last one of 6 images. */
  private static final int IMAGES = 4 * Extractions.CHUNK + 6;

  @TempDir private Path folder;

  private @Nullable Projection network;

  @BeforeEach
  void open() {
    network = new Projection();
  }

  @AfterEach
  void close() {
    extractor().close();
  }

  private Projection extractor() {
    return requireNonNull(network);
  }

  private Extractions set(Content content) {
    Path data = Pictures.zip(folder.resolve("set.zip"), IMAGES);
    return Extractions.of(data, folder.resolve("set.npz"), content, extractor());
  }

  private static void assertNothingIsLeft(Extractions set) {
    assertThat(set.parts()).doesNotExist();
    assertThat(set.target().getParent())
        .isDirectoryNotContaining(file -> file.getFileName().toString().startsWith("."));
  }

  @Test
  void theFileHasEveryPicturesFeaturesInOrder() {
    Extractions set = set(Content.ACTIVATIONS);

    ExtractionResult result = set.run();

    assertThat(result.extracted()).isEqualTo(IMAGES);
    assertThat(result.reused()).isZero();
    assertThat(result.written())
        .contains(new ExtractionResult.Written(IMAGES, Projection.POOL, Projection.SPATIAL));
    assertNothingIsLeft(set);
    try (TensorScope _ = TensorScope.open();
        ActivationsFile file = ActivationsFile.open(set.target())) {
      for (Feature feature : Feature.values()) {
        try (Activations.Reader rows = file.activations(feature, "this").open()) {
          Tensor all = rows.read(IMAGES);
          assertThat(all.dtype()).isEqualTo(DType.FLOAT64);
          for (int i = 0; i < IMAGES; i += 7) {
            // Chunks of 16 are cut into batches of 5, 5, 5 and 1.
            int chunk = i - i % Extractions.CHUNK;
            int first = i - (i - chunk) % 5;
            int end =
                IntStream.of(first + 5, chunk + Extractions.CHUNK, IMAGES).min().orElseThrow();
            InceptionFeatures expected = extractor().features(pictures(first, end));
            Tensor of = feature == Feature.POOL ? expected.pool() : expected.spatial();
            assertThat(Shapes.select(all, 0, i).toDoubles())
                .as("image %s", i)
                .isEqualTo(Shapes.select(of, 0, i - first).toDoubles());
          }
        }
      }
    }
  }

  /** Inception resizes everything, so no side is refused. */
  @ParameterizedTest
  @ValueSource(ints = {1, 30, 299})
  void theSideMayBeAnyNumber(int side) {
    Path data = Pictures.zip(folder.resolve("set.zip"), 3, side);
    FeatureExtractor means =
        images -> {
          Tensor wide = images.to(DType.FLOAT32);
          Tensor mean = Reduction.mean(wide, Reduction.KeepDim.NO, 2, 3);
          return new InceptionFeatures(mean, mean);
        };

    ExtractionResult result =
        Extractions.of(data, folder.resolve("set.npz"), Content.ACTIVATIONS, means).run();

    assertThat(result.extracted()).isEqualTo(3);
  }

  private static Tensor pictures(int first, int end) {
    List<Tensor> images = new ArrayList<>();
    for (int i = first; i < end; i++) {
      byte[] planes =
          PictureReader.decode(Pictures.png(i, Pictures.SIDE), Path.of("picture")).planes();
      images.add(Torch.tensor(planes, 1, 3, Pictures.SIDE, Pictures.SIDE));
    }
    return Shapes.cat(images, 0);
  }

  @ParameterizedTest
  @EnumSource(Content.class)
  void anyNumberOfProcessesMakesTheSameFile(Content content) throws Exception {
    Extractions set = set(content);
    set.run();
    for (int processes : List.of(2, 3, 7)) {
      Extractions shared = set.to(folder.resolve(processes + ".npz"));
      List<ExtractionResult> results = shared.run(processes);
      assertThat(shared.target()).hasSameBinaryContentAs(set.target());
      assertThat(results.stream().mapToLong(ExtractionResult::extracted).sum()).isEqualTo(IMAGES);
      assertThat(results.getFirst().written()).isPresent();
      assertThat(results.subList(1, processes)).allMatch(r -> r.written().isEmpty());
      assertNothingIsLeft(shared);
    }
  }

  @ParameterizedTest
  @EnumSource(Content.class)
  void aStoppedRunIsGoneOnWithByAnyNumberOfProcesses(Content content) throws Exception {
    Extractions set = set(content);
    set.run();
    Extractions stopped = set.to(folder.resolve("stopped.npz"));

    stopped.runAndStop(Share.ALONE, 2);
    assertThat(stopped.target()).doesNotExist();
    // The second of two processes ends with its own chunks, 1 and 3.
    Share second = new Share(1, 2, Duration.ofMinutes(1));
    stopped.run(second, ExtractionListener.NONE, new Cancellation());
    List<ExtractionResult> results = stopped.run(3);

    assertThat(stopped.target()).hasSameBinaryContentAs(set.target());
    assertThat(results.getFirst().extracted() + results.get(1).extracted())
        .as("chunks 0, 1 and 3 were there")
        .isEqualTo(Extractions.CHUNK - 10);
    assertThat(results.get(2).extracted()).isEqualTo(Extractions.CHUNK);
    assertNothingIsLeft(stopped);
  }

  @Test
  void momentsAreThoseOfTheActivations() {
    Extractions rows = set(Content.ACTIVATIONS);
    rows.run();
    Extractions sums =
        Extractions.of(rows.data(), folder.resolve("m.npz"), Content.MOMENTS, extractor());
    sums.run();
    try (ActivationsFile whole = ActivationsFile.open(rows.target());
        ActivationsFile parts = ActivationsFile.open(sums.target())) {
      assertThat(parts.count()).hasValue(IMAGES);
      for (Feature feature : Feature.values()) {
        assertThat(parts.hasActivations(feature)).isFalse();
        try (Moments expected = whole.moments(feature, "FID", WorkOptions.defaults());
            Moments found = parts.moments(feature, "FID", WorkOptions.defaults())) {
          assertThat(found.count()).hasValue(IMAGES);
          // Float64 sums of 70 values in another order: 1e-12 of the largest element.
          assertClose(found.mean(), expected.mean());
          assertClose(found.covariance(), expected.covariance());
        }
      }
    }
  }

  private static void assertClose(Tensor found, Tensor expected) {
    double[] wanted = expected.toDoubles();
    double largest = 0;
    for (double value : wanted) {
      largest = Math.max(largest, Math.abs(value));
    }
    assertThat(found.toDoubles()).containsExactly(wanted, within(1e-12 * largest));
  }

  @ParameterizedTest
  @CsvSource({"1, 1024", "65536, 1024", "65537, 2048", "1281167, 20480", "2147483647, 33554432"})
  void thereAreNeverMoreThanSixtyFourPartsOfMoments(int images, int chunk) {
    assertThat(MomentParts.DEFAULT.chunkSize(images)).isEqualTo(chunk);
    assertThat(new Chunks(images, chunk).count()).isLessThanOrEqualTo(64);
  }

  @Test
  void partsOfOtherInputsAreNeverUsed() throws IOException {
    Extractions set = set(Content.ACTIVATIONS);
    set.runAndStop(Share.ALONE, 2);
    String start = "%s: %s contains parts of other inputs (".formatted(set.target(), set.parts());

    assertThatThrownBy(() -> set.by("babe").run())
        .isInstanceOf(FileException.class)
        .hasMessage(
            start
                + "network babe, exact instead of cafe, exact): choose another --dest, or discard"
                + " them with"
                + " --fresh");
    Path other = Pictures.zip(folder.resolve("other.zip"), IMAGES);
    assertThatThrownBy(() -> set.from(other).run())
        .hasMessageStartingWith(start + "data " + other + " instead of " + set.data());
    Extractions moments = Extractions.of(set.data(), set.target(), Content.MOMENTS, extractor());
    assertThatThrownBy(moments::run).hasMessageStartingWith(start + "content moments, 16 ");
    // The same name and number of pictures, but one of them has changed.
    Pictures.zip(other, IMAGES + 1);
    Pictures.zip(set.data(), IMAGES + 1);
    assertThatThrownBy(set::run)
        .hasMessageStartingWith(start + "images %s instead of %s".formatted(IMAGES + 1, IMAGES));
    assertThat(set.target()).doesNotExist();

    ExtractionResult fresh = set.fresh().run();

    assertThat(fresh.extracted()).isEqualTo(IMAGES + 1);
    assertThat(fresh.reused()).isZero();
    assertNothingIsLeft(set);
  }

  @Test
  void aPictureThatChangedMakesOtherInputs() throws IOException {
    Path data = Pictures.folder(folder.resolve("set"), IMAGES);
    Extractions set =
        Extractions.of(data, folder.resolve("set.npz"), Content.ACTIVATIONS, extractor());
    set.runAndStop(Share.ALONE, 1);
    Path last = data.resolve(String.format(Locale.ROOT, "%05d.png", IMAGES - 1));
    Files.setLastModifiedTime(last, FileTime.fromMillis(12_345));

    assertThatThrownBy(set::run).hasMessageContaining("other inputs (names and sizes ");
  }

  @Test
  void partsWithoutADescriptionAreNotUsed() throws IOException {
    Extractions set = set(Content.ACTIVATIONS);
    set.runAndStop(Share.ALONE, 1);
    Files.delete(set.parts().resolve("description.txt"));

    assertThatThrownBy(set::run)
        .isInstanceOf(FileException.class)
        .hasMessage(set.parts() + ": contains parts without a manifest; --fresh discards them");

    set.fresh().run();
    assertNothingIsLeft(set);
  }

  @Test
  void freshIsForOneProcess() {
    Extractions set = set(Content.ACTIVATIONS);

    assertThatThrownBy(() -> set.fresh().options(new Share(0, 2, Duration.ZERO)))
        .isInstanceOf(OptionException.class)
        .hasMessage(
            "--fresh requires a single process; with several, delete this folder before"
                + " they start: "
                + set.parts());
  }

  @Test
  void aDamagedPartIsNamed() throws IOException {
    Extractions set = set(Content.ACTIVATIONS);
    set.runAndStop(Share.ALONE, 3);
    Path part = set.parts().resolve("part-000001.npz");
    byte[] bytes = Files.readAllBytes(part);
    bytes[300] ^= 1;
    Files.write(part, bytes);

    assertThatThrownBy(set::run)
        .isInstanceOf(RdmException.class)
        .hasMessageStartingWith(part + ": array 'feat' has the checksum ")
        .hasMessageEndingWith("; delete it and run the same command again");
    assertThat(set.target()).doesNotExist();

    Files.delete(part);
    assertThat(set.run().extracted()).isEqualTo(Extractions.CHUNK);
  }

  @Test
  void whatAKilledProcessLeftHalfWrittenIsCleanedUp() throws IOException {
    Extractions set = set(Content.ACTIVATIONS);
    set.runAndStop(Share.ALONE, 1);
    for (String name : List.of(".joined.npz.x.tmp", ".part-000002.npz.x.tmp", "joined.npz")) {
      Files.writeString(set.parts().resolve(name), "half");
    }

    set.run();

    assertNothingIsLeft(set);
  }

  @Test
  void aTargetThatCannotBeWrittenKeepsItsParts() throws IOException {
    Extractions set = set(Content.ACTIVATIONS);
    set.runAndStop(Share.ALONE, 1);
    Path inTheWay = set.parts().resolve("joined.npz/file");
    Files.createDirectories(inTheWay);

    assertThatThrownBy(set::run)
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(set.target() + ": ")
        .hasMessageEndingWith("; the parts are kept: to resume, run the same command again");
    assertThat(set.target()).doesNotExist();

    Files.delete(inTheWay);
    Files.delete(inTheWay.getParent());
    assertThat(set.run().extracted()).isZero();
    assertNothingIsLeft(set);
  }

  @Test
  void partsThatGoWhileAProcessWorksAreMissedAtOnce() {
    Extractions set = set(Content.ACTIVATIONS);
    ExtractionListener thief =
        new ExtractionListener() {
          @Override
          public void saved(long images) {
            try {
              Files.deleteIfExists(set.parts().resolve("part-000001.npz"));
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          }
        };

    assertThatThrownBy(() -> set.run(Share.ALONE, thief, new Cancellation()))
        .isInstanceOf(FileException.class)
        .hasMessage(
            set.target()
                + ": parts written by this process have been deleted: is another run writing the"
                + " same file?");
    assertThat(set.run().extracted()).isEqualTo(Extractions.CHUNK);
  }

  @Test
  void aProcessThatNeverComesIsNamed() {
    Extractions set = set(Content.ACTIVATIONS);
    Share share = new Share(0, 3, Duration.ofMillis(300));

    assertThatThrownBy(() -> set.run(share, ExtractionListener.NONE, new Cancellation()))
        .isInstanceOf(FileException.class)
        .hasMessage(
            set.target()
                + ": 3 of 5 parts are missing, of processes 1, 2, and none arrived within 0 s: to"
                + " resume,"
                + " run the same command again");
    assertThat(set.target()).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aProcessThatWaitsForTheOthersCanBeStopped(boolean byInterrupt) {
    Extractions set = set(Content.ACTIVATIONS);
    Cancellation cancellation = new Cancellation();
    ExtractionListener asking =
        new ExtractionListener() {
          @Override
          public void waiting(long parts, long total) {
            if (byInterrupt) {
              Thread.currentThread().interrupt();
            } else {
              cancellation.cancel();
            }
          }
        };

    Share share = new Share(0, 2, Duration.ofMinutes(10));
    assertThatThrownBy(() -> set.run(share, asking, cancellation))
        .isInstanceOf(CancelledException.class);

    assertThat(Thread.interrupted()).isEqualTo(byInterrupt);
    assertThat(set.target()).doesNotExist();
    // What it has made is kept.
    set.run(new Share(1, 2, Duration.ofMinutes(10)), ExtractionListener.NONE, new Cancellation());
    assertThat(set.run().extracted()).isZero();
  }

  @Test
  void theListenerHearsOfEverything() {
    Extractions set = set(Content.ACTIVATIONS);
    List<String> heard = new ArrayList<>();
    ExtractionListener listener =
        new ExtractionListener() {
          @Override
          public void extracted(long done, long total) {
            heard.add("extracted %s/%s".formatted(done, total));
          }

          @Override
          public void saved(long images) {
            heard.add("saved " + images);
          }

          @Override
          public void joined(long done, long total) {
            heard.add("joined %s/%s".formatted(done, total));
          }
        };

    set.run(Share.ALONE, listener, new Cancellation());

    assertThat(heard)
        .startsWith(
            "extracted 0/70",
            "extracted 5/70",
            "extracted 10/70",
            "extracted 15/70",
            "extracted 16/70",
            "saved 16")
        .containsSubsequence("extracted 70/70", "saved 70", "joined 1/10", "joined 10/10");
  }

  private void run(Extractions set, Path target, int most, long seed, Share share) {
    ExtractionOptions all = set.options(share);
    ExtractionOptions some =
        new ExtractionOptions(
            all.data(),
            Set.of(),
            OptionalInt.of(most),
            seed,
            target,
            all.content(),
            all.leftovers(),
            all.batch(),
            0,
            all.device(),
            all.network(),
            all.share());
    new ActivationsExtraction(some, new RowParts(4))
        .run(extractor(), ExtractionListener.NONE, new Cancellation());
  }

  @Test
  void featuresOfTensorFloat32AreOnesOfAnotherNetwork() {
    ExtractionOptions cpu = set(Content.ACTIVATIONS).options(Share.ALONE);
    assertThat(cpu.networkText()).endsWith(", exact");
    assertThat(withTf32(cpu, Device.CPU).networkText()).isEqualTo(cpu.networkText());
    assertThat(withTf32(cpu, Device.cuda(0)).networkText()).endsWith(", exact, tf32");
  }

  private static ExtractionOptions withTf32(ExtractionOptions options, Device device) {
    return new ExtractionOptions(
        options.data(),
        options.without(),
        options.maxImages(),
        options.subsetSeed(),
        options.target(),
        options.content(),
        options.leftovers(),
        options.batch(),
        options.workers(),
        device,
        new ExtractionOptions.Network(
            options.network().sha256(), options.network().numerics(), Tf32.ALLOWED),
        options.share());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, IMAGES, IMAGES + 5})
  void atMostSoManyImages(int most) {
    Extractions set = set(Content.ACTIVATIONS);

    run(set, set.target(), most, 0, Share.ALONE);

    try (ActivationsFile file = ActivationsFile.open(set.target())) {
      assertThat(file.count()).hasValue(Math.min(most, IMAGES));
      assertThat(file.drawn())
          .isEqualTo(
              most < IMAGES
                  ? Optional.of(new Provenance.Drawn(most, IMAGES, 0))
                  : Optional.empty());
    }
  }

  private static double[] pool(Path target, int... images) {
    try (TensorScope _ = TensorScope.open();
        ActivationsFile file = ActivationsFile.open(target);
        Activations.Reader reader = file.activations(Feature.POOL, "this").open()) {
      Tensor rows = reader.read(IMAGES);
      List<Tensor> chosen =
          IntStream.of(images).mapToObj(i -> Shapes.narrow(rows, 0, i, 1)).toList();
      return (images.length == 0 ? rows : Shapes.cat(chosen, 0)).toDoubles();
    }
  }

  @Test
  void theDrawIsThatOfEdmsDataSets() {
    Extractions set = set(Content.ACTIVATIONS);
    set.run();
    Path some = folder.resolve("some.npz");

    // np.random.RandomState(seed).shuffle(i := np.arange(70)); np.sort(i[:7])
    run(set, some, 7, 0, Share.ALONE);
    assertThat(pool(some))
        .containsExactly(pool(set.target(), 7, 22, 26, 27, 30, 48, 51), within(1e-4));
    run(set, some, 7, 3, Share.ALONE);
    assertThat(pool(some))
        .containsExactly(pool(set.target(), 6, 11, 12, 27, 31, 37, 53), within(1e-4));
  }

  @Test
  void partsOfAnotherDrawAreRefused() {
    Extractions set = set(Content.ACTIVATIONS);
    Share second = new Share(1, 2, Duration.ofMinutes(1));
    run(set, set.target(), 12, 0, second);

    assertThatThrownBy(() -> run(set, set.target(), 12, 1, second))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("names and sizes");
  }

  /** The same pictures as an array: stored as ADM's scripts do it, and as they lie in a set. */
  private Path samples(int count) {
    Path file = folder.resolve("samples.NPZ");
    SampleArray.write(
        file,
        count,
        Pictures.SIDE,
        Pictures.SIDE,
        out -> {
          for (int i = 0; i < count; i++) {
            try (TensorScope _ = TensorScope.open()) {
              out.write(Shapes.permute(pictures(i, i + 1), 0, 2, 3, 1));
            }
          }
        });
    return file;
  }

  @Test
  void anArrayOfSamplesGivesTheFileThatItsPicturesGive() throws Exception {
    Extractions set = set(Content.ACTIVATIONS);
    set.run();
    Extractions array = set.from(samples(IMAGES)).to(folder.resolve("array.npz"));
    array.run();
    assertThat(array.target()).hasSameBinaryContentAs(set.target());

    Extractions shared = array.to(folder.resolve("shared.npz"));
    shared.run(3);
    assertThat(shared.target()).hasSameBinaryContentAs(set.target());

    Path drawn = folder.resolve("drawn.npz");
    run(set, drawn, 13, 5, Share.ALONE);
    Path drawnToo = folder.resolve("drawn-too.npz");
    run(array, drawnToo, 13, 5, Share.ALONE);
    assertThat(drawnToo).hasSameBinaryContentAs(drawn);
  }

  @ParameterizedTest
  @ValueSource(strings = {"adm_samples.npz", "adm_samples_compressed.npz"})
  void samplesThatNumpyWroteAreRead(String name) {
    Path data = Path.of(System.getProperty("rdm.fixtures"), "npy", name);
    Extractions set = set(Content.ACTIVATIONS).from(data);

    assertThat(set.run().extracted()).isEqualTo(5);

    try (TensorScope _ = TensorScope.open();
        NpzFile file = NpzFile.open(data);
        NpyReader reader = file.array("arr_0")) {
      Tensor images = Shapes.permute(reader.read(5), 0, 3, 1, 2).contiguous();
      assertThat(pool(set.target())).isEqualTo(extractor().features(images).pool().toDoubles());
    }
  }

  @Test
  void anArrayThatIsNoneOfPicturesIsRefused() {
    Path data = Path.of(System.getProperty("rdm.fixtures"), "npy", "feat.npz");
    Extractions set = set(Content.ACTIVATIONS).from(data);
    assertThatThrownBy(set::run)
        .isInstanceOf(FileException.class)
        .hasMessage(data + ": has no array 'arr_0', only: feat");
    Path wide = folder.resolve("wide.npz");
    try (Tensor zeros = Torch.zeros(DType.UINT8, 2, 8, 8, 4)) {
      NpzWriter.write(wide, out -> out.array("arr_0", zeros));
    }
    assertThatThrownBy(set.from(wide)::run)
        .hasMessageEndingWith(
            "array 'arr_0' is uint8[2, 8, 8, 4], but uint8[any, any, any, 3] was expected");
  }

  @Test
  void picturesOfOtherSizesAreNamed() throws IOException {
    Path data = Pictures.folder(folder.resolve("set"), 20);
    Files.write(data.resolve("00019.png"), Pictures.png(1, 16));
    refused(data, Content.ACTIVATIONS, data.resolve("00019.png") + ": has 16 x 16 pixels, but the");
  }

  @Test
  void unreadablePicturesAreNamed() throws IOException {
    Path data = Pictures.folder(folder.resolve("set"), 3);
    Files.write(data.resolve("00002.png"), new byte[] {1, 2, 3});
    refused(
        data,
        Content.MOMENTS,
        data.resolve("00002.png") + ": is not an image of a supported format");
    Files.delete(data.resolve("00002.png"));
    Files.createSymbolicLink(data.resolve("00003.png"), data.resolve("nothing"));
    refused(data, Content.MOMENTS, data.resolve("00003.png") + ": cannot be read: no such file");
  }

  @Test
  void anEmptyFolderAndOnePictureForACovariance() throws IOException {
    Path data = Files.createDirectory(folder.resolve("set"));
    refused(data, Content.ACTIVATIONS, data + ": contains no images");
    Pictures.folder(data, 1);
    refused(data, Content.MOMENTS, data + ": has 1 image, but a covariance requires at least 2");
  }

  private void refused(Path data, Content content, String message) {
    Extractions set = Extractions.of(data, folder.resolve("out.npz"), content, extractor());
    assertThatThrownBy(set::run)
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(message)
        .extracting(Throwable::getMessage, InstanceOfAssertFactories.STRING)
        .hasLineCount(1);
    assertThat(set.target()).doesNotExist();
  }

  @Test
  void aTargetThatCannotBeWrittenIsRefusedBeforeAnyWork() throws IOException {
    FeatureExtractor none =
        images -> {
          throw new AssertionError("nothing should be extracted of " + images.describe());
        };
    Extractions set = set(Content.ACTIVATIONS).with(none);
    Path file = Files.writeString(folder.resolve("file"), "");
    assertThatThrownBy(set.to(folder)::run)
        .isInstanceOf(FileException.class)
        .hasMessage(folder + ": is not a valid file name");
    assertThatThrownBy(set.to(file.resolve("out.npz"))::run)
        .isInstanceOf(FileException.class)
        .hasMessageContaining(file.toString());
  }

  @Test
  void featuresThatAreNotFiniteNameThePicture() {
    FeatureExtractor broken =
        images -> {
          float[] pool = new float[(int) images.size(0) * 2];
          pool[3] = Float.NaN;
          return new InceptionFeatures(
              Torch.tensor(pool, images.size(0), 2), Torch.zeros(DType.FLOAT32, images.size(0), 1));
        };
    Extractions set = set(Content.ACTIVATIONS).with(broken);

    assertThatThrownBy(set::run)
        .isInstanceOf(FileException.class)
        .hasMessage(
            set.data().resolve("00001.png")
                + ": has features that are not finite: the weights of the network must be damaged");
    assertThat(set.parts()).doesNotExist();
  }

  @ParameterizedTest
  @EnumSource(Content.class)
  void openTensorsDoNotGrowWithTheNumberOfImages(Content content) {
    long few = mostTensors(content, IMAGES);
    long many = mostTensors(content, 20 * Extractions.CHUNK);

    assertThat(many).isEqualTo(few);
  }

  private long mostTensors(Content content, int images) {
    Path data = Pictures.zip(folder.resolve(images + ".zip"), images);
    Extractions set = Extractions.of(data, folder.resolve(images + ".npz"), content, extractor());
    long[] most = new long[1];
    ExtractionListener listener =
        new ExtractionListener() {
          @Override
          public void extracted(long done, long total) {
            most[0] = Math.max(most[0], Tensor.liveCount());
          }

          @Override
          public void joined(long done, long total) {
            most[0] = Math.max(most[0], Tensor.liveCount());
          }
        };
    set.run(Share.ALONE, listener, new Cancellation());
    return most[0];
  }
}
