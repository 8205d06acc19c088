using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using OKLA.ML;
using OKLA.ML.Registry;

namespace OKLA.Tests.Modules.ML.Registry;

public sealed class BlobStoreTests : DatabaseTest
{
    private string folder = "";

    [OneTimeSetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("okla-blobs-").FullName;

    [OneTimeTearDown]
    public void DeleteFolder() => Directory.Delete(folder, recursive: true);

    [TestCase(0, false)]
    [TestCase(1, false)]
    [TestCase(9_000_001, false)]
    [TestCase(0, true)]
    [TestCase(9_000_001, true)]
    public async Task What_was_written_is_read_by_its_checksum(int size, bool inFolder)
    {
        var content = Bytes(size, seed: size);

        var info = await Store(inFolder).WriteAsync(new MemoryStream(content), default);

        info.Sha256.ShouldBe(Convert.ToHexStringLower(SHA256.HashData(content)));
        info.Bytes.ShouldBe(size);
        (await ReadAsync(Store(inFolder), info.Sha256)).ShouldBe(content);
    }

    [Test]
    public async Task Bytes_that_are_there_already_are_kept_once()
    {
        var content = Bytes(5_000_000, seed: 1);
        var first = await Store().WriteAsync(new MemoryStream(content), default);
        var before = await ScalarAsync<long>("select count(*) from ml.blob_chunks");

        var second = await Store().WriteAsync(new MemoryStream(content), default);

        second.ShouldBe(first);
        (await ScalarAsync<long>("select count(*) from ml.blob_chunks")).ShouldBe(before);
    }

    [Test]
    public async Task Text_takes_up_less_than_it_is()
    {
        var info = await Store().WriteAsync(new MemoryStream([.. Enumerable.Range(0, 1_000_000).Select(i => (byte)('a' + (i % 7)))]), default);

        info.StoredBytes.ShouldBeLessThan(100_000);
    }

    [Test]
    public async Task A_writer_that_dies_leaves_nothing()
    {
        var before = await ScalarAsync<long>("select count(*) from ml.blob_chunks");

        await Should.ThrowAsync<IOException>(Store().WriteAsync(new TornStream(9_000_000), default));

        (await ScalarAsync<long>("select count(*) from ml.blob_chunks")).ShouldBe(before);
        await Should.ThrowAsync<IOException>(Store(inFolder: true).WriteAsync(new TornStream(9_000_000), default));
        Directory.EnumerateFiles(folder, "draft-*").ShouldBeEmpty();
    }

    [Test]
    public async Task A_transaction_that_is_rolled_back_takes_its_bytes_with_it()
    {
        await using var connection = await Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var info = await Store().WriteAsync(transaction, new MemoryStream(Bytes(100, seed: 77)), default);
        await Should.ThrowAsync<InvalidDataException>(Store().OpenAsync(info.Sha256, default));

        await transaction.RollbackAsync();

        await Should.ThrowAsync<InvalidDataException>(Store().OpenAsync(info.Sha256, default));
    }

    [Test]
    public async Task Damaged_bytes_are_not_handed_out_as_whole()
    {
        var info = await Store().WriteAsync(new MemoryStream(Bytes(6_000_000, seed: 5)), default);
        await ExecuteAsync($"""
            update ml.blob_chunks set bytes = set_byte(bytes, 1000, (get_byte(bytes, 1000) + 1) % 256)
            where number = 1 and blob = (select id from ml.blobs where sha256 = '{info.Sha256}')
            """);

        await Should.ThrowAsync<InvalidDataException>(ReadAsync(Store(), info.Sha256));
    }

    [Test]
    public async Task Bytes_that_lost_their_end_are_not_handed_out_as_whole()
    {
        var info = await Store().WriteAsync(new MemoryStream(Bytes(6_000_000, seed: 6)), default);
        await ExecuteAsync($"delete from ml.blob_chunks where number = 1 and blob = (select id from ml.blobs where sha256 = '{info.Sha256}')");

        await Should.ThrowAsync<InvalidDataException>(ReadAsync(Store(), info.Sha256));
    }

    [Test]
    public async Task A_file_of_another_blob_is_noticed()
    {
        var store = Store(inFolder: true);
        var (one, other) = (await store.WriteAsync(new MemoryStream(Bytes(1000, seed: 8)), default), await store.WriteAsync(new MemoryStream(Bytes(1000, seed: 9)), default));
        File.Copy(Path.Combine(folder, other.Sha256[..2], other.Sha256 + ".gz"), Path.Combine(folder, one.Sha256[..2], one.Sha256 + ".gz"), overwrite: true);

        await Should.ThrowAsync<InvalidDataException>(ReadAsync(store, one.Sha256));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Only_what_nothing_refers_to_is_deleted(bool inFolder)
    {
        var store = Store(inFolder);
        var info = await store.WriteAsync(new MemoryStream(Bytes(1000, seed: inFolder ? 10 : 11)), default);
        await ExecuteAsync($"create table keeper (sha256 text references ml.blobs (sha256)); insert into keeper values ('{info.Sha256}')");

        (await store.DeleteAsync(info.Sha256, default)).ShouldBeFalse();
        (await ReadAsync(store, info.Sha256)).Length.ShouldBe(1000);
        await ExecuteAsync("drop table keeper");
        (await store.DeleteAsync(info.Sha256, default)).ShouldBeTrue();

        await Should.ThrowAsync<InvalidDataException>(store.OpenAsync(info.Sha256, default));
        (await store.DeleteAsync(info.Sha256, default)).ShouldBeFalse();
        File.Exists(Path.Combine(folder, info.Sha256[..2], info.Sha256 + ".gz")).ShouldBeFalse();
        (await ScalarAsync<long>("select count(*) from ml.blob_chunks where blob not in (select id from ml.blobs)")).ShouldBe(0);
    }

    private static byte[] Bytes(int size, int seed)
    {
        var bytes = new byte[size];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static async Task<byte[]> ReadAsync(BlobStore store, string sha256)
    {
        await using var stream = await store.OpenAsync(sha256, default);
        var copy = new MemoryStream();
        await stream.CopyToAsync(copy);
        return copy.ToArray();
    }

    private BlobStore Store(bool inFolder = false) =>
        new(Database, Options.Create(new MLOptions { Artefacts = new ArtefactPlace { Folder = inFolder ? folder : null } }), TimeProvider.System);

    /// <summary>Breaks off after so many bytes.</summary>
    private sealed class TornStream(int bytes) : MemoryStream(new byte[bytes])
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            await base.ReadAsync(buffer, cancellationToken) is var read and > 0 ? read : throw new IOException("The sender went away.");
    }
}
