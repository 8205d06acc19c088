using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace OKLA.Host.Auth;

/// <summary>Whose tokens a key may vouch for.</summary>
/// <param name="Issuer">The <c>iss</c> its tokens carry.</param>
/// <param name="Audience">The <c>aud</c> its tokens carry.</param>
internal sealed record Trust(string Issuer, string Audience);

/// <summary>
/// A key that checks signatures of one algorithm for one issuer. The algorithm belongs to the key, never to the token:
/// a token only says which it claims, and is refused when the key is of another (RFC 8725 section 3.1).
/// </summary>
/// <param name="id">The key's <c>kid</c>; a key without one serves only tokens without one.</param>
/// <param name="algorithm">HS256, RS256 or ES256.</param>
/// <param name="trust">Whose tokens it may vouch for.</param>
internal abstract class VerificationKey(string? id, string algorithm, Trust trust)
{
    public string? Id { get; } = id;

    public string Algorithm { get; } = algorithm;

    public Trust Trust { get; } = trust;

    /// <summary>True when the signature was made by this key's owner over exactly these bytes. Safe for many threads.</summary>
    public abstract bool Verify(ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature);
}

/// <summary>HS256: a secret of at least 32 bytes, as long as the hash (RFC 7518 section 3.2).</summary>
internal sealed class HmacKey : VerificationKey
{
    public const int MinimumBytes = 32;
    private readonly byte[] secret;

    public HmacKey(string? id, byte[] secret, Trust trust) : base(id, "HS256", trust)
    {
        if (secret.Length < MinimumBytes) throw new CryptographicException($"An HS256 key needs at least {MinimumBytes} bytes; this one has {secret.Length}.");
        this.secret = secret;
    }

    public override bool Verify(ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature)
    {
        Span<byte> expected = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(secret, signed, expected);
        return CryptographicOperations.FixedTimeEquals(expected, signature);
    }
}

/// <summary>RS256: an RSA public key of 2048 to 8192 bits (RFC 7518 section 3.3; the upper bound keeps a hostile key set from burning CPU).</summary>
internal sealed class RsaKey : VerificationKey
{
    private readonly InstancePool<RSA> pool;
    private readonly int signatureBytes;

    public RsaKey(string? id, byte[] modulus, byte[] exponent, Trust trust) : base(id, "RS256", trust)
    {
        var parameters = new RSAParameters { Modulus = modulus, Exponent = exponent };
        if (modulus.Length == 0 || (modulus[^1] & 1) == 0) throw new CryptographicException("The RSA modulus is not odd.");
        if (exponent.Length is 0 or > 4 || (exponent[^1] & 1) == 0 || exponent is [1]) throw new CryptographicException("The RSA exponent is not an odd number from 3 to 2^32.");
        pool = new InstancePool<RSA>(() => RSA.Create(parameters));
        var rsa = pool.Take();
        var bits = rsa.KeySize;
        pool.Return(rsa);
        if (bits is < 2048 or > 8192) throw new CryptographicException($"An RS256 key needs 2048 to 8192 bits; this one has {bits}.");
        signatureBytes = (bits + 7) / 8;
    }

    public override bool Verify(ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != signatureBytes) return false;
        var rsa = pool.Take();
        var valid = rsa.VerifyData(signed, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        pool.Return(rsa);
        return valid;
    }
}

/// <summary>ES256: a point on P-256; the signature is r and s of 32 bytes each (RFC 7518 section 3.4).</summary>
internal sealed class EcKey : VerificationKey
{
    private const int CoordinateBytes = 32;
    private readonly InstancePool<ECDsa> pool;

    public EcKey(string? id, byte[] x, byte[] y, Trust trust) : base(id, "ES256", trust)
    {
        if (x.Length != CoordinateBytes || y.Length != CoordinateBytes) throw new CryptographicException("An ES256 key needs two coordinates of 32 bytes.");
        var parameters = new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = x, Y = y } };
        pool = new InstancePool<ECDsa>(() => ECDsa.Create(parameters));
        pool.Return(pool.Take());
    }

    public override bool Verify(ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != 2 * CoordinateBytes) return false;
        var ecdsa = pool.Take();
        var valid = ecdsa.VerifyData(signed, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        pool.Return(ecdsa);
        return valid;
    }
}

/// <summary>Keys ready for use, one thread at a time each: the framework promises nothing about one instance shared by several threads.</summary>
internal sealed class InstancePool<T>(Func<T> create) where T : AsymmetricAlgorithm
{
    private readonly ConcurrentBag<T> idle = [];

    public T Take() => idle.TryTake(out var instance) ? instance : create();

    public void Return(T instance) => idle.Add(instance);
}
