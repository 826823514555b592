// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.FileException;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.diffusion.data.BadImages;
import org.relaydiffusion.diffusion.data.BadPicture;
import org.relaydiffusion.diffusion.data.ItemLabels;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.diffusion.image.Pixels;

class DatasetConversionTest {
  @TempDir private Path folder;

  /** Shapes, of which one cannot be read, and only those below {@code labelled} have a label. */
  private static final class Shapes implements ImageSource {
    private final ImageSource good;
    private final Set<Integer> broken;
    private final int labelled;
    private final AtomicInteger reading = new AtomicInteger();

    Shapes(int count, int broken, int labelled) {
      this.good = new SyntheticShapes(count, 8, 0);
      this.broken = broken < 0 ? Set.of() : Set.of(broken);
      this.labelled = labelled;
    }

    Shapes(int count, Set<Integer> broken) {
      this.good = new SyntheticShapes(count, 8, 0);
      this.broken = broken;
      this.labelled = count;
    }

    @Override
    public int size() {
      return good.size();
    }

    @Override
    public Pixels read(int index) {
      reading.incrementAndGet();
      try {
        if (broken.contains(index)) {
          throw new FileException(Path.of("shape" + index), "is damaged");
        }
        return good.read(index);
      } finally {
        reading.decrementAndGet();
      }
    }

    @Override
    public ItemLabels labels() {
      long[] classes = new long[size()];
      Arrays.setAll(classes, i -> i < labelled ? i % 8 : -1);
      return ItemLabels.Classes.of(classes);
    }

    @Override
    public String name(int index) {
      return "shape" + index;
    }

    @Override
    public void close() {}
  }

  private static DatasetConversion conversion(ImageSource source, Path target) {
    return conversion(source, target, BadImages.FAIL);
  }

  private static DatasetConversion conversion(ImageSource source, Path target, BadImages mode) {
    return new DatasetConversion(
        source, Optional::of, new DatasetTarget(target, true), OptionalInt.empty(), 3, mode);
  }

  private static ConvertedDataset run(DatasetConversion conversion) {
    return conversion.run(DatasetConversion.Listener.NONE, new Cancellation());
  }

  @Test
  void aFailedZipIsNotThereAndAnOldOneStays() throws IOException {
    Path zip = folder.resolve("set.zip");
    Files.writeString(zip, "old");

    Shapes source = new Shapes(200, 100, 200);
    assertThatThrownBy(() -> run(conversion(source, zip)))
        .isInstanceOf(RdmException.class)
        .hasMessage("shape100: is damaged (--bad-images=skip skips this image)");

    assertThat(zip).hasContent("old");
    assertThat(folder).isDirectoryContaining(zip::equals);
    assertThat(folder.toFile().list()).hasSize(1);
    assertThat(source.reading).hasValue(0);
  }

  @Test
  void aFailedFolderIsNotThereAndAnOldOneStays() throws IOException {
    Path set = folder.resolve("set");
    assertThatThrownBy(() -> run(conversion(new Shapes(200, 100, 200), set)))
        .isInstanceOf(RdmException.class);
    assertThat(set).doesNotExist();

    run(conversion(new Shapes(3, -1, 3), set));
    assertThatThrownBy(() -> run(conversion(new Shapes(200, 100, 200), set)))
        .isInstanceOf(RdmException.class);
    assertThat(set.resolve("dataset.json")).exists();
    assertThat(set.toFile().list()).containsExactlyInAnyOrder("00000", "dataset.json");
    assertThat(set.resolve("00000").toFile().list()).hasSize(3);

    run(conversion(new Shapes(2, -1, 2), set));
    assertThat(set.resolve("00000").toFile().list()).hasSize(2);
  }

  @Test
  void allPicturesThatCannotBeReadAreFoundInOneGo() {
    Path zip = folder.resolve("set.zip");
    Shapes source = new Shapes(200, Set.of(0, 7, 8, 100, 199));
    List<String> found = new ArrayList<>();

    assertThatThrownBy(() -> conversion(source, zip).run(listener(found), new Cancellation()))
        .isInstanceOf(RdmException.class)
        .hasMessage(
            "5 of 200 images cannot be used: shape0: is damaged; shape7: is damaged; shape8: is"
                + " damaged; and 2 more (--bad-images=list prints all, skip skips them)");
    assertThat(found).hasSize(5).last().isEqualTo("shape199: is damaged");
    assertThat(folder).isEmptyDirectory();

    found.clear();
    ConvertedDataset listed =
        conversion(source, zip, BadImages.LIST).run(listener(found), new Cancellation());
    assertThat(listed.bad()).isEqualTo(5);
    assertThat(found).hasSize(5);
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void picturesThatAreSkippedKeepTheNumbersOfTheOthers() throws IOException {
    Path set = folder.resolve("set");
    List<String> found = new ArrayList<>();

    ConvertedDataset done =
        conversion(new Shapes(4, Set.of(0, 2)), set, BadImages.SKIP)
            .run(listener(found), new Cancellation());

    assertThat(done.images()).isEqualTo(2);
    assertThat(done.bad()).isEqualTo(2);
    assertThat(found).containsExactly("shape0: is damaged", "shape2: is damaged");
    assertThat(set.resolve("dataset.json"))
        .hasContent("{\"labels\":[[\"00000/img00000001.png\",1],[\"00000/img00000003.png\",3]]}");
    assertThat(PictureReader.read(set.resolve("00000/img00000003.png")))
        .isEqualTo(new SyntheticShapes(4, 8, 0).read(3));
    assertThatThrownBy(
            () -> run(conversion(new Shapes(1, Set.of(0)), folder.resolve("x"), BadImages.SKIP)))
        .hasMessage("none of the 1 images can be used");
  }

  private static DatasetConversion.Listener listener(List<String> found) {
    return new DatasetConversion.Listener() {
      @Override
      public void pictureDone(int done, int total) {}

      @Override
      public void found(BadPicture picture) {
        found.add(picture.message());
      }
    };
  }

  @Test
  void aFolderWithFilesInItIsLeftAlone() throws IOException {
    Files.writeString(folder.resolve("mine.txt"), "x");

    assertThatThrownBy(() -> run(conversion(new Shapes(2, -1, 2), folder)))
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(folder.resolve("mine.txt") + ": is not part of a data set");
    assertThat(folder.toFile().list()).containsExactly("mine.txt");
  }

  @Test
  void aFolderEndsAfterAThousandPictures() throws IOException {
    Path set = folder.resolve("set");
    run(conversion(new Shapes(1001, -1, 1001), set));

    assertThat(set.resolve("00000/img00000999.png")).exists();
    assertThat(set.resolve("00001/img00001000.png")).exists();
    assertThat(Files.readString(set.resolve("dataset.json")))
        .startsWith("{\"labels\":[[\"00000/img00000000.png\",0],[\"00000/img00000001.png\",1]")
        .endsWith("[\"00001/img00001000.png\",0]]}");
  }

  @Test
  void labelsAreAllOrNone() throws IOException {
    Path set = folder.resolve("set");
    ConvertedDataset done = run(conversion(new Shapes(9, -1, 8), set));

    assertThat(done.labelled()).isEqualTo(8);
    assertThat(done.labelDim()).isZero();
    assertThat(set.resolve("dataset.json")).hasContent("{\"labels\":null}");
  }

  @Test
  void itCanBeEndedEarly() {
    Cancellation cancellation = new Cancellation();
    Path zip = folder.resolve("set.zip");

    assertThatThrownBy(() ->
            conversion(new Shapes(500, -1, 500), zip)
                .run(
                    told(done -> {
                      if (done == 5) {
                        cancellation.cancel();
                      }
                    }),
                    cancellation))
        .isInstanceOf(CancelledException.class);
    assertThat(folder).isEmptyDirectory();
  }

  private static DatasetConversion.Listener told(IntConsumer done) {
    return new DatasetConversion.Listener() {
      @Override
      public void pictureDone(int finished, int total) {
        assertThat(total).isPositive();
        done.accept(finished);
      }

      @Override
      public void found(BadPicture picture) {}
    };
  }

  @Test
  void everyPictureIsReportedInOrder() {
    AtomicInteger last = new AtomicInteger();
    DatasetConversion limited =
        new DatasetConversion(
            new Shapes(90, -1, 90),
            Optional::of,
            new DatasetTarget(folder.resolve("set.zip"), false),
            OptionalInt.of(40),
            2,
            BadImages.FAIL);

    limited.run(
        told(done -> assertThat(done).isEqualTo(last.incrementAndGet())), new Cancellation());

    assertThat(last).hasValue(40);
    assertThat(limited.count()).isEqualTo(40);
  }

  @Test
  void picturesThatAreAllTooSmallAreAnError() {
    DatasetConversion conversion =
        new DatasetConversion(
            new Shapes(3, -1, 3),
            new CropAndScale(Crop.CENTER_CROP_WIDE, new Resolution(16, 8)),
            new DatasetTarget(folder.resolve("set.zip"), false),
            OptionalInt.empty(),
            1,
            BadImages.FAIL);

    assertThatThrownBy(() -> run(conversion))
        .hasMessage("none of the 3 images is large enough for the crop");
  }

  @Test
  void numbersThatCannotBeMeantAreRefused() {
    Shapes source = new Shapes(3, -1, 3);
    DatasetTarget place = new DatasetTarget(folder, false);
    assertThatThrownBy(() ->
            new DatasetConversion(
                source, Optional::of, place, OptionalInt.of(0), 1, BadImages.FAIL))
        .isInstanceOf(OptionException.class)
        .hasMessage("--max-images must be at least 1, but is 0");
    assertThatThrownBy(() ->
            new DatasetConversion(
                source, Optional::of, place, OptionalInt.empty(), 0, BadImages.FAIL))
        .isInstanceOf(OptionException.class)
        .hasMessage("--workers must be at least 1, but is 0");
    assertThatThrownBy(() -> new CropAndScale(Crop.CENTER_CROP_WIDE, new Resolution(8, 16)))
        .isInstanceOf(OptionException.class)
        .hasMessageContaining("at least as wide as high, but is 8x16");
    assertThatThrownBy(() -> new Resolution(0, 5)).isInstanceOf(OptionException.class);
    assertThatThrownBy(() -> Crop.parse("centre")).isInstanceOf(OptionException.class);
  }
}
