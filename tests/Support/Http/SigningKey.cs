// A key that signs tokens, written without the library that the server verifies them by.
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Estat.Tests.Support;

/// <summary>One of an issuer's.</summary>
internal sealed class SigningKey : IDisposable
{
    private readonly AsymmetricAlgorithm _key;

    private SigningKey(string? id, string algorithm, AsymmetricAlgorithm key)
    {
        Id = id;
        Algorithm = algorithm;
        _key = key;
    }

    /// <summary>Its name; null for none.</summary>
    internal string? Id { get; }

    /// <summary>Such as RS256.</summary>
    internal string Algorithm { get; }

    /// <summary>The public key as PEM: what somebody may take for a secret.</summary>
    internal string PublicPem => _key.ExportSubjectPublicKeyInfoPem();

    internal static SigningKey New(string? id, string algorithm = "ES256", int rsaBits = 2048) => new(id, algorithm, algorithm[0] switch
    {
        'E' => ECDsa.Create(algorithm switch
        {
            "ES256" => ECCurve.NamedCurves.nistP256,
            "ES384" => ECCurve.NamedCurves.nistP384,
            _ => ECCurve.NamedCurves.nistP521,
        }),
        _ => RSA.Create(rsaBits),
    });

    public void Dispose() => _key.Dispose();

    /// <summary>A page of public keys.</summary>
    internal static string Jwks(params SigningKey[] keys) =>
        new JsonObject { ["keys"] = new JsonArray([.. keys.Select(key => key.Public())]) }.ToJsonString();

    /// <summary>A token as a text.</summary>
    /// <param name="claims">The whole second part.</param>
    /// <param name="header">The whole first part; null for the usual one.</param>
    internal string Sign(JsonObject claims, JsonObject? header = null) => SignText($"{Part(header ?? Header())}.{Part(claims)}");

    /// <summary>A token of two parts that are ready.</summary>
    internal string SignText(string parts) => $"{parts}.{Base64Url.EncodeToString(Signature(Encoding.ASCII.GetBytes(parts)))}";

    /// <summary>The usual first part.</summary>
    internal JsonObject Header()
    {
        var header = new JsonObject { ["typ"] = "JWT", ["alg"] = Algorithm };
        if (Id is not null)
        {
            header["kid"] = Id;
        }

        return header;
    }

    /// <summary>A part of a token.</summary>
    internal static string Part(JsonObject json) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(json));

    /// <summary>The key as others may see it.</summary>
    internal JsonObject Public()
    {
        var json = new JsonObject { ["use"] = "sig" };
        if (Id is not null)
        {
            json["kid"] = Id;
        }

        if (_key is RSA rsa)
        {
            RSAParameters numbers = rsa.ExportParameters(false);
            (json["kty"], json["n"], json["e"]) =
                ("RSA", Base64Url.EncodeToString(numbers.Modulus), Base64Url.EncodeToString(numbers.Exponent));
        }
        else
        {
            ECPoint point = ((ECDsa)_key).ExportParameters(false).Q;
            (json["kty"], json["crv"], json["x"], json["y"]) =
                ("EC", $"P-{_key.KeySize}", Base64Url.EncodeToString(point.X), Base64Url.EncodeToString(point.Y));
        }

        return json;
    }

    private byte[] Signature(byte[] signed)
    {
        HashAlgorithmName hash = new($"SHA{Algorithm[2..]}");
        return _key switch
        {
            RSA rsa => rsa.SignData(signed, hash, Algorithm[0] == 'P' ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1),
            _ => ((ECDsa)_key).SignData(signed, hash),
        };
    }
}
