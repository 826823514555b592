// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.diffusion.image.PictureBudget;
import org.relaydiffusion.io.zip.ZipArchive;
import org.relaydiffusion.io.zip.ZipMember;

/** Images in a zip archive. */
final class ZipSource implements PictureSource {
  private final ZipArchive zip;
  private final Path path;
  private final List<ZipMember> members;
  private final List<String> pictures;
  private final LeftOut leftOut;
  private final @Nullable ZipMember labels;

  private ZipSource(
      Path path,
      ZipArchive zip,
      List<ZipMember> members,
      LeftOut leftOut,
      @Nullable ZipMember labels) {
    this.path = path;
    this.zip = zip;
    this.members = members;
    this.pictures = members.stream().map(ZipMember::name).toList();
    this.leftOut = leftOut;
    this.labels = labels;
  }

  static ZipSource open(Path path, Order order) {
    if (!path.toString().toLowerCase(Locale.ROOT).endsWith(".zip")) {
      throw new FileException(path, "is neither a folder nor a zip file of images");
    }
    ZipArchive zip = ZipArchive.open(path);
    LeftOut.Counter counter = new LeftOut.Counter();
    List<ZipMember> members = new ArrayList<>();
    ZipMember labels = null;
    for (ZipMember member : zip.members()) {
      if (PictureNames.isPicture(member.name()) && counter.keeps(member.name())) {
        members.add(member);
      } else if (member.name().equals(LABELS)) {
        labels = member;
      }
    }
    members.sort(Comparator.comparing(ZipMember::name, order.comparator()));
    return new ZipSource(path, zip, members, counter.count(), labels);
  }

  @Override
  public PictureSource without(Set<String> names) {
    List<ZipMember> kept = members.stream().filter(m -> !names.contains(m.name())).toList();
    return new ZipSource(path, zip, kept, leftOut, labels);
  }

  @Override
  public Path path() {
    return path;
  }

  @Override
  public List<String> pictures() {
    return pictures;
  }

  @Override
  public int files() {
    return zip.members().size();
  }

  @Override
  public LeftOut leftOut() {
    return leftOut;
  }

  @Override
  public byte[] read(int index) {
    return zip.read(members.get(index), PictureBudget.MOST_BYTES);
  }

  @Override
  public Ends ends(int index, int most) {
    ZipMember member = members.get(index);
    return new Ends(zip.start(member, most), zip.end(member, most), member.size());
  }

  @Override
  public String stamp(int index) {
    ZipMember picture = members.get(index);
    return picture.size() + " " + Integer.toHexString(picture.crc());
  }

  @Override
  public String content(int index) {
    return stamp(index);
  }

  @Override
  public Path file(int index) {
    return zip.nameOf(members.get(index));
  }

  @Override
  public Optional<byte[]> labels() {
    return Optional.ofNullable(labels).map(m -> zip.read(m, MOST_LABEL_BYTES));
  }

  @Override
  public Path labelFile() {
    return path.resolve(LABELS);
  }

  @Override
  public void close() {
    zip.close();
  }
}
