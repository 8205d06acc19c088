namespace OKLA.ML.Models.Language;

/// <summary>A listing written by hand, with the facts that its text says.</summary>
/// <param name="Title">Title.</param>
/// <param name="Text">Text.</param>
/// <param name="Facts">Name and value of each fact, as <see cref="ListingFacts.Known"/> has them.</param>
internal sealed record WrittenListing(string Title, string Text, IReadOnlyList<(string Name, string Value)> Facts)
{
    /// <summary>Reads "title | text | name=value; name=value".</summary>
    public static WrittenListing Read(string line)
    {
        var parts = line.Split('|', StringSplitOptions.TrimEntries);
        return new WrittenListing(parts[0], parts[1], [.. parts[2].Split(';', StringSplitOptions.TrimEntries).Select(fact => fact.Split('=', 2)).Select(pair => (pair[0], pair[1]))]);
    }
}

/// <summary>
/// Listings written by hand the way Dominican sellers write them, with every fact that their text says. <see cref="Looked"/> were looked at while the reader was
/// made; <see cref="Final"/> measure alone.
/// </summary>
internal static class WrittenListings
{
    private const string LookedLines =
        """
        Toyota Corolla LE 2015 | Vendo Toyota Corolla 2015, automático, gasolina, 85,000 millas, color blanco, 4 puertas, cámara de reversa, gomas nuevas. Precio RD$ 750,000 negociable. Tel 809-555-1234 | make=Toyota; model=Corolla; year=2015; mileageKm=136794; transmission=automatica; fuel=gasolina; color=blanco; doors=4; price=750000 DOP; extra=cámara de reversa; extra=gomas nuevas
        Honda CR-V 2018 EX | Recién importada, clean carfax, 62 mil km, asientos en piel, sunroof. US$ 21,500. Inicial desde RD$ 300 mil. | make=Honda; model=CR-V; year=2018; mileageKm=62000; condition=recién importado; price=21500 USD; extra=Carfax limpio; extra=asientos en piel; extra=sunroof
        Kia K5 2014 | Motor 2.0 litros a gas de fábrica, aire acondicionado bien frío, cristales eléctricos. Pido 520 mil. | make=Kia; model=K5; year=2014; fuel=glp; engineLitres=2; price=520000 DOP; extra=aire acondicionado; extra=cristales eléctricos
        Mitsubishi L200 | Camioneta diesel 4x4 mecánica año 2013 en muy buenas condiciones, matrícula al día | make=Mitsubishi; model=L200; year=2013; bodyType=camioneta; transmission=mecanica; fuel=diesel; traction=4x4; extra=papeles al día
        Hyundai Sonata N20 | Color gris, interior en piel, llave inteligente, 98,000 km, único dueño, marbete 2025 | make=Hyundai; model=Sonata; color=gris; mileageKm=98000; extra=asientos en piel; extra=llave inteligente; extra=único dueño
        Nissan Frontier 2016 SV | Jeepeta no, camioneta doble cabina V6 automática con aire automático y pantalla táctil. Se financia con 20 % de inicial | make=Nissan; model=Frontier; year=2016; bodyType=camioneta; cylinders=6; transmission=automatica; extra=aire acondicionado; extra=pantalla táctil; extra=financiamiento
        """;

    private const string FinalLines =
        """
        Toyota RAV4 XLE 2019 | Toyota RAV4 2019 recién llegada, 45,000 millas, gasolina, automática, AWD, cámara de reversa, CarPlay. RD$1,650,000. | make=Toyota; model=RAV4; year=2019; condition=recién importado; mileageKm=72420; fuel=gasolina; transmission=automatica; traction=AWD; extra=cámara de reversa; extra=CarPlay; price=1650000 DOP
        Honda Civic 2012 | Se vende Honda Civic 2012 mecánico, color rojo, dos puertas, aros de magnesio, motor 1.8 litros. 430 mil pesos negociables. | make=Honda; model=Civic; year=2012; transmission=mecanica; color=rojo; doors=2; extra=aros de magnesio; engineLitres=1.8; price=430000 DOP
        Hyundai Tucson 2017 limited | Jeepeta full, techo panorámico, asientos eléctricos, piel, 70 mil kilómetros. Precio: US$16,900 | make=Hyundai; model=Tucson; year=2017; bodyType=jeepeta; extra=techo panorámico; extra=asientos eléctricos; extra=asientos en piel; mileageKm=70000; price=16900 USD
        Suzuki Swift 2020 | Como nuevo, 30,000 km, único dueño, mantenimientos en la casa. Carro de mujer, color azul. Nunca chocado. | make=Suzuki; model=Swift; year=2020; mileageKm=30000; extra=único dueño; extra=mantenimientos al día; color=azul; extra=nunca chocado
        Ford Explorer XLT 2016 | 7 pasajeros, tercera fila, V6, automatica, blanca, sensores de parqueo. RD$ 1.2 millones. Escribir al WhatsApp 829 555 7788. | make=Ford; model=Explorer; year=2016; extra=tercera fila; cylinders=6; transmission=automatica; color=blanco; extra=sensores de parqueo; price=1200000 DOP
        Kia Picanto 2015 | Kia Picanto automático gasolina, aire, vidrios eléctricos, bluetooth. Gasta poco. Pido RD$395,000. | make=Kia; model=Picanto; year=2015; transmission=automatica; fuel=gasolina; extra=aire acondicionado; extra=cristales eléctricos; extra=bluetooth; price=395000 DOP
        Toyota Hilux 2021 | Camioneta Hilux diesel 4x4 2.8 litros, mecánica, 55,000 kms. Garantía de fábrica. Color plateado. | make=Toyota; model=Hilux; year=2021; bodyType=camioneta; fuel=diesel; traction=4x4; engineLitres=2.8; transmission=mecanica; mileageKm=55000; extra=garantía; color=gris
        Jeep Wrangler Sahara 2018 | Cuatro puertas, negro, automático, V6, luces LED, barra antivuelco. US$38,500 | make=Jeep; model=Wrangler; year=2018; doors=4; color=negro; transmission=automatica; cylinders=6; extra=faros LED; extra=barra antivuelco; price=38500 USD
        Nissan Sentra 2014 | Nissan Sentra en buenas condiciones, el aire enfría, gomas nuevas, papeles al día. Se acepta vehículo. Precio 465,000 pesos. | make=Nissan; model=Sentra; year=2014; extra=aire acondicionado; extra=gomas nuevas; extra=papeles al día; extra=recibe vehículo; price=465000 DOP
        Daihatsu Mira 2013 | Japonés, automático, 660 cc, 4 puertas, aire frío. 285 mil | make=Daihatsu; model=Mira; year=2013; transmission=automatica; doors=4; extra=aire acondicionado; price=285000 DOP
        Mazda CX-5 Touring | Año 2016, gasolina, 88,000 km, color vino, cámara, crucero, push start. | make=Mazda; model=CX-5; year=2016; fuel=gasolina; mileageKm=88000; color=rojo; extra=cámara de reversa; extra=control crucero; extra=llave inteligente
        Tesla Model 3 2021 | 100 eléctrico, 25,000 millas, pantalla, piel, autopilot. US$ 34,900. Financiamiento disponible. | make=Tesla; model=Model 3; year=2021; fuel=electrico; mileageKm=40234; extra=pantalla táctil; extra=asientos en piel; price=34900 USD; extra=financiamiento
        Lexus RX 350 2013 | Lexus RX350 blanca perla, interior negro en piel, sunroof, 105 mil millas, carfax limpio | make=Lexus; model=RX 350; year=2013; color=blanco; extra=asientos en piel; extra=sunroof; mileageKm=168981; extra=Carfax limpio
        Honda Fit 2010 | Vendo por viaje Honda Fit automático en 350 mil. Traspaso por el comprador. Llame al 8095550102 | make=Honda; model=Fit; year=2010; transmission=automatica; price=350000 DOP
        Chevrolet Silverado 2019 LTZ | 4x4, V8, gasolina, roja, asientos en cuero, cámara trasera. 1,900,000 pesos, recibimos su usado. | make=Chevrolet; model=Silverado; year=2019; traction=4x4; cylinders=8; fuel=gasolina; color=rojo; extra=asientos en piel; extra=cámara de reversa; price=1900000 DOP; extra=recibe vehículo
        Hyundai Santa Fe 2014 | Diesel, tercera fila, automática, gris plomo, kilometraje 132,000. RD$ 890 mil | make=Hyundai; model=Santa Fe; year=2014; fuel=diesel; extra=tercera fila; transmission=automatica; color=gris; mileageKm=132000; price=890000 DOP
        Toyota Camry SE 2018 | Traído de Estados Unidos, 4 cilindros, 2.5L, 58k millas, aros, bolsas de aire originales. US$17,800 fijo | make=Toyota; model=Camry; year=2018; cylinders=4; engineLitres=2.5; mileageKm=93342; extra=aros de magnesio; extra=bolsas de aire; price=17800 USD
        Volkswagen Amarok 2015 | Doble cabina, diésel, estándar, 4x4, control crucero, documentos al día. Precio RD$1.15 millones | make=Volkswagen; model=Amarok; year=2015; bodyType=camioneta; fuel=diesel; transmission=mecanica; traction=4x4; extra=control crucero; extra=papeles al día; price=1150000 DOP
        BMW X5 2014 | BMW X5 xDrive, gasolina, un solo dueño, mantenimientos al día, negra con interior beige. US$ 22 mil | make=BMW; model=X5; year=2014; fuel=gasolina; extra=único dueño; extra=mantenimientos al día; color=negro; price=22000 USD
        Mercedes-Benz Clase C 2016 | C300 turbo, techo panorámico, cámara, bluetooth, 64,000 km | make=Mercedes-Benz; model=Clase C; year=2016; extra=techo panorámico; extra=cámara de reversa; extra=bluetooth; mileageKm=64000
        Honda Accord 2017 Sport | Gris, automático, 2.0 turbo, sin choques, luces led. Se separa con RD$50,000. Precio RD$1,080,000 | make=Honda; model=Accord; year=2017; color=gris; transmission=automatica; engineLitres=2; extra=nunca chocado; extra=faros LED; price=1080000 DOP
        Kia Sportage 2019 | Jeepeta Kia Sportage gasoil, cámara de retroceso, 48,000km, azul, garantía de motor y transmisión 6 meses | make=Kia; model=Sportage; year=2019; bodyType=jeepeta; fuel=diesel; extra=cámara de reversa; mileageKm=48000; color=azul; extra=garantía
        Nissan Versa 2019 | Automático, 4 cilindros 1.6 litros, sin cámara, aire, usado en RD. Cuotas desde RD$15,000. RD$ 640,000 | make=Nissan; model=Versa; year=2019; transmission=automatica; cylinders=4; engineLitres=1.6; extra=aire acondicionado; condition=usado; price=640000 DOP
        Toyota Yaris 2011 | Toyota Yaris 1.3, mecánico, gasolina, 4 puertas, pintura original verde, marbete al día hasta 2026. 330,000 | make=Toyota; model=Yaris; year=2011; transmission=mecanica; fuel=gasolina; doors=4; color=verde; price=330000 DOP
        Mitsubishi Montero Sport 2012 | 3 filas, diesel, 4x4, gomas casi nuevas, aros de lujo, color dorado | make=Mitsubishi; model=Montero Sport; year=2012; extra=tercera fila; fuel=diesel; traction=4x4; extra=gomas nuevas; extra=aros de magnesio; color=dorado
        Jeep Grand Cherokee Limited 2015 | 75,000 millas, V6, AWD, asientos de piel, android auto, llave inteligente. Info 849-555-3344 o IG @autosrd | make=Jeep; model=Grand Cherokee; year=2015; mileageKm=120701; cylinders=6; traction=AWD; extra=asientos en piel; extra=CarPlay; extra=llave inteligente
        Isuzu D-Max 2019 | Cabina y media, mecánica, diesel 2.5 litros, blanca. Recibo vehículo. Pido 1,050,000 | make=Isuzu; model=D-Max; year=2019; transmission=mecanica; fuel=diesel; engineLitres=2.5; color=blanco; extra=recibe vehículo; price=1050000 DOP
        BYD Song Plus 2023 | Híbrida enchufable, 0 km, garantía, techo panoramico, camara 360. US$ 36,900 | make=BYD; model=Song Plus; year=2023; fuel=hibrido; condition=nuevo; extra=garantía; extra=techo panorámico; extra=cámara de reversa; price=36900 USD
        Ford Ranger 2017 Wildtrak | 3.2 litros diesel automática 4x4 naranja 91 mil km clean carfax papeles en regla | make=Ford; model=Ranger; year=2017; engineLitres=3.2; fuel=diesel; transmission=automatica; traction=4x4; color=naranja; mileageKm=91000; extra=Carfax limpio; extra=papeles al día
        Hyundai Accent 2013 | Carrito económico a gas, automático, color crema, electrico completo, radio pantalla. 310 mil pesos. Traiga su mecánico. | make=Hyundai; model=Accent; year=2013; fuel=glp; transmission=automatica; color=beige; extra=cristales eléctricos; extra=pantalla táctil; price=310000 DOP
        Chevrolet Spark 2016 | Hatchback 5 puertas, mecánico 1.2 litros, 77,500 km, aire acondicionado, facilidades de pago. | make=Chevrolet; model=Spark; year=2016; bodyType=hatchback; doors=5; transmission=mecanica; engineLitres=1.2; mileageKm=77500; extra=aire acondicionado; extra=financiamiento
        Subaru Forester 2015 | AWD, automática, sun roof, 82 mil millas recorridas, azul celeste, xenon. Valor US$ 12,300. | make=Subaru; model=Forester; year=2015; traction=AWD; transmission=automatica; extra=sunroof; mileageKm=131966; color=azul; extra=faros LED; price=12300 USD
        Porsche Cayenne 2013 | V6 gasolina, piel, techo panoramico, smart key, mantenimiento al dia. Tel. (809) 555-9090, correo ventas@ejemplo.com | make=Porsche; model=Cayenne; year=2013; cylinders=6; fuel=gasolina; extra=asientos en piel; extra=techo panorámico; extra=llave inteligente; extra=mantenimientos al día
        """;

    public static IReadOnlyList<WrittenListing> Looked { get; } = Lines(LookedLines);

    public static IReadOnlyList<WrittenListing> Final { get; } = Lines(FinalLines);

    private static WrittenListing[] Lines(string lines) => [.. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(WrittenListing.Read)];
}
