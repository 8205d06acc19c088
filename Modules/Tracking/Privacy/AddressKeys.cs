using System.Net;
using System.Security.Cryptography;
using Dapper;
using Npgsql;

namespace OKLA.Tracking.Privacy;

/// <summary>The key of a day for hashes of addresses.</summary>
/// <param name="Day">UTC day.</param>
/// <param name="Secret">32 random bytes.</param>
internal sealed record AddressKey(DateOnly Day, byte[] Secret)
{
    /// <summary>
    /// 16 hexadecimal digits of HMAC-SHA256. One address has one hash on a day and another on the next, and there is no way back
    /// once the key is destroyed; before, somebody with the key could try all addresses.
    /// </summary>
    public string Hash(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        Span<byte> bytes = stackalloc byte[16];
        plain.TryWriteBytes(bytes, out var length);
        Span<byte> hash = stackalloc byte[32];
        HMACSHA256.HashData(Secret, bytes[..length], hash);
        return Convert.ToHexStringLower(hash[..8]);
    }
}

/// <summary>Keys for hashes of addresses, one a day for all nodes: table <c>tracking.address_keys</c>.</summary>
internal sealed class AddressKeys(NpgsqlDataSource database)
{
    private AddressKey? today;

    /// <summary>The key of the day that a moment lies in, made when nobody has yet.</summary>
    public ValueTask<AddressKey> AtAsync(DateTimeOffset now, CancellationToken ct)
    {
        var day = DateOnly.FromDateTime(now.UtcDateTime);
        return today is { } known && known.Day == day ? new(known) : LoadAsync(day, ct);
    }

    /// <summary>Destroys the keys of days before one.</summary>
    /// <returns>Keys destroyed.</returns>
    public static Task<int> DestroyAsync(NpgsqlConnection connection, DateOnly before, CancellationToken ct) =>
        connection.ExecuteAsync(new CommandDefinition("delete from tracking.address_keys where day < @before", new { before }, cancellationToken: ct));

    private async ValueTask<AddressKey> LoadAsync(DateOnly day, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition(
            "insert into tracking.address_keys (day, key) values (@day, @key) on conflict do nothing", new { day, key = RandomNumberGenerator.GetBytes(32) }, cancellationToken: ct));
        var secret = await connection.ExecuteScalarAsync<byte[]>(new CommandDefinition("select key from tracking.address_keys where day = @day", new { day }, cancellationToken: ct));
        return today = new AddressKey(day, secret!);
    }
}
