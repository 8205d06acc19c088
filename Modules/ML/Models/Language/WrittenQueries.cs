namespace OKLA.ML.Models.Language;

/// <summary>
/// Queries written by hand the way Dominicans type them, with intent and slots, which no model learns from. <see cref="Looked"/> were looked at while the
/// tagger's features were chosen; <see cref="Final"/> are for the figures alone. A line: intent, bar, text with slots as [name words].
/// </summary>
internal static class WrittenQueries
{
    private const string LookedLines =
        """
        search|[body jeepeta] [make toyota] [year 2018] full menos de [price_max 1.2 millones] en [place santiago]
        search|[make honda] [model civic] [year_min 2016] en adelante
        search|busco un [body carro] [condition usado] para [use uber] que gaste poco
        search|[body yipeta] barata en [place la vega]
        search|[model corolla] [year_min 2014] a [year_max 2017] [transmission automatico]
        search|[body camioneta] [make mitsubishi] [model l200] [fuel diesel] 4x4
        search|[make hyunday] [model sonata] [fuel gas] en la [place capital]
        search|quiero una [body guagua] para [use excursiones] de 30 pasajeros
        search|[make kia] [model picanto] menos de [price_max 500 mil]
        search|[body jeepeta] entre [price_min 800 mil] y [price_max 1 millon]
        search|[make bmw] [model x5] [price_max 20k dolares] maximo
        search|[body pasola] [condition nueva] en [place san cristobal]
        search|dame [body carros] [make nissan] hasta [price_max rd$600,000]
        search|[make suzuki] [model vitara] [condition nueva] [year 2024]
        search|[model tucson] del [year_min 2015] pa arriba
        search|[body carrito] [transmission automatico] para la [use universidad] con [price_max 400 mil pesos]
        search|[make toyta] [model hilux] [year 2019]
        search|[body jipeta] de 3 filas de asientos
        search|[body camion] [make daihatsu] cama larga
        search|[fuel electrico] de [price_max 15 mil dolares] o menos
        compare|[make honda] [model crv] o [make toyota] [model rav4] cual es mejor
        compare|diferencia entre el [model corolla] y el [model civic]
        compare|[model sportage] vs [model tucson] [year 2020]
        compare|que me sale mejor un [model k5] o un [model sonata]
        price|cuanto cuesta un [make toyota] [model corolla] [year 2015]
        price|en cuanto anda la [model crv] [year 2018]
        price|cual es el precio de una [model hilux] [year 2020] [condition usada]
        price|cuanto puedo pedir por mi [make kia] [model rio] [year 2014]
        financing|cuanto es el inicial para una [body jeepeta]
        financing|financiamiento sin inicial
        financing|que banco presta para comprar [body carro] [condition usado]
        financing|cuotas de un [make hyundai] [model accent] a 5 años
        sell|quiero vender mi [body carro]
        sell|como publico un anuncio
        sell|vendo [make honda] [model fit] [year 2012] en [place santiago]
        sell|compran [body carros] chocados
        dealer|telefono de un dealer en [place la romana]
        dealer|a que hora abren los sabados
        dealer|donde queda el dealer
        dealer|quiero hablar con el vendedor
        test_drive|puedo probar el [make mazda] [model cx5]
        test_drive|quiero una cita para manejar la [body jeepeta]
        test_drive|agendar prueba de manejo
        after_sales|gomas para [model civic] [year 2010]
        after_sales|como hago el traspaso
        after_sales|donde le hago el mantenimiento a mi [model rav4]
        after_sales|mi [body carro] me salio con problema que hago con la garantia
        other|hola buenas
        other|gracias
        other|como cambio mi contraseña
        """;

    private const string FinalLines =
        """
        search|[make toyota] [model 4runner] [year 2015] trd
        search|[model prado] [fuel diesel] [transmission automatica] en [place santo domingo]
        search|[body carros] baratos en [place moca]
        search|ando buscando una [body jeepeta] que no pase de [price_max 900 mil]
        search|[body yipeta] [make honda] [model crv] [year 2017] 4x4 full
        search|[make nissan] [model sentra] [year_min 2013] o mas nuevo
        search|[make hyundai] [model santa fe] [year 2016] [fuel gasoil]
        search|necesito un [body carrito] pa [use trabajar] con [price_max 350 mil]
        search|[make lexus] [model rx350] [year_min 2012] hasta [year_max 2015]
        search|[body camioneta] doble cabina [condition usada] en [place bani]
        search|[make ford] [model explorer] [price_max us$25,000] para abajo
        search|quiero comprar un [make kia] [model sorento]
        search|[make mercedes] [model clase c] [year 2014]
        search|[body motor] [make yamaha] [condition nuevo]
        search|algun [make honda] [model accord] [year 2013] v6 por ahi
        search|[make chevrolet] [model tahoe] [year 2019] americana
        search|[body jeepeta] de [price 1 millon]
        search|[body jeepeta] de [price 15 mil dolares] que sea [transmission automatica]
        search|hay [model corolla] [year 2010] en [place puerto plata]?
        search|[body carro] [fuel hibrido] economico
        search|[make tesla] [model model 3] [condition usado]
        search|[make toyota] [model yaris] japones [year 2012] [transmission mecanico]
        search|[make jonda] [model sivic] [year 2008]
        search|[make isusu] [model dmax] [year 2018]
        search|[make susuki] [model swif] [condition nuevo]
        search|[make mazda] [model demio] [year 2013] hasta [price_max 420 mil]
        search|[body jepeta] [make ford] [model escape]
        search|[body geepeta] [make kia] [model sportage] [year 2018] blanca
        search|[body camion] volteo [make mack] en [place santiago]
        search|[body minibus] [make toyota] [model hiace] [year_min 2010] en adelante
        search|se busca [make daihatsu] [model hijet] en buenas condiciones
        search|un [body sedan] [make hyundai] de menos de [price_max 700,000 pesos]
        search|[model civic] coupe [year 2014] [transmission estandar]
        search|[make jeep] [model wrangler] [year 2020] roja
        search|[make jeep] [model grand cherokee] [year 2014] limited
        search|[model k5] [fuel glp] del [year_min 2014] en adelante en [place santo domingo este]
        search|[body jeepetas] coreanas bajo [price_max 600 mil]
        search|[make volkswagen] [model amarok] [fuel diesel]
        search|[body pickup] [make nissan] [model frontier] [year 2016]
        search|[body carro] familiar para [use 7 personas]
        search|un vehiculo [make toyota] [model camry] [year 2018]
        search|[body carros] con [price_max medio millon]
        search|[body jeepeta] de [price_min millon y medio] a [price_max dos millones]
        search|[body jeepeta] [year_min 2019] a [year_max 2022] maximo [price_max 2 millones]
        search|[make honda] [model hrv] entre [year_min 2016] y [year_max 2019]
        search|presupuesto [price_max 1,500,000] [body jeepeta] [fuel diesel]
        search|tengo [price_max 450 mil pesos] que [body carro] consigo
        search|tengo [price_max us$ 12,000] para una [body yipeta]
        search|[make audi] [model q5] [price_max 18000 dolares] maximo
        search|[make byd] [fuel electrico] [condition nuevo]
        search|[make porsche] [model cayenne] en [place distrito nacional]
        search|[body jeepeta] pa el [use campo] que sea [fuel diesel] y 4x4
        search|[body camioneta] para [use carga] en [place san francisco de macoris]
        search|[make toyota] [model tacoma] [year 2013] [place bavaro]
        search|[make toyota] [model tacoma] en [place higuey] o [place la romana]
        search|[body carro] [make toyota] [condition 0 km]
        search|[make kia] [model soul] [condition recien importado]
        search|[body carros] de [use concho]
        search|[body motores] de [use delivery] baratos
        search|[body lancha] con dos motores
        search|[make bmw] [model serie 3] [year 2012]
        search|[body jeepeta] [make mitsubishi] [model montero] [year 2010] [fuel gasoil]
        search|[make mini] [model cooper] [condition usado] [price_max 700 mil] maximo
        search|[model accent] [year 2012] mas o menos en [price 300 mil]
        search|[make hyundai] [model tucson] limited [year 2019] [price_max rd$ 1.3m] tope
        search|[make honda] [model pilot] [year 2016] touring clean carfax
        search|[make nisan] [model kics] [year 2020]
        search|[make toyota] [model corola] [year 2016]
        search|[make mitsubichi] [model l200] [year 2014]
        search|[make chebrolet] [model silverado] [place barahona]
        search|[make volkwagen] [model jetta] [year 2015]
        search|[model mira] [year 2014] [price_max 250mil]
        search|[model passo] [year_min 2014] [year_max 2018]
        search|[body carro] [transmission sincronico] barato
        search|[body jeepeta] [year_min 2017] en adelante [price_max 1.4 millones] [place bonao]
        search|[body carro] [condition de paquete] con garantia de fabrica
        search|[body furgoneta] para [use negocio]
        search|[make subaru] [model forester] [year 2015] [transmission automatica] [price_max 850 mil]
        search|alguien vende una [model cr-v] [year 2012]?
        search|muestrame [body jeepetas] [make toyota] en [place la vega]
        search|me interesa un [body hatchback] [transmission automatico] de menos de [price_max 8000 dolares]
        search|[make changan] [condition nuevas] [body jeepeta]
        search|[body carros] [condition usados] en [place san pedro de macoris]
        search|[model f150] [year 2018] [fuel gasolina]
        search|[make dodge] [model ram] 1500 [year 2015]
        search|[make ford] [model mustang] [year 2016] gt
        search|una [body guagüita] para [use vender pan]
        search|[body jeepeta] para la [use familia] con [price_max 1 millon 200 mil]
        search|[body jeepeta] [price 800 mil]
        search|[model rav4] [fuel hibrida] [year 2021]
        compare|[model crv] [year 2018] vs [model rav4] [year 2018]
        compare|cual gasta menos el [model picanto] o el [model spark]
        compare|que es mejor [body jeepeta] [fuel diesel] o [fuel gasolina]
        compare|comparame el [make kia] [model sportage] con el [make hyundai] [model tucson]
        compare|[make toyota] [model hilux] contra [make ford] [model ranger]
        compare|mejor [make honda] o [make toyota]?
        compare|[model k5] o [model sonata] cual rinde mas
        compare|entre una [model 4runner] y una [model prado] con cual me quedo
        compare|[make nissan] [model kicks] versus [make honda] [model hrv]
        compare|que diferencia hay entre la [model sorento] y la [model santa fe]
        compare|cual [body jeepeta] es mas economica [model kicks] o [model vitara]
        price|cuanto vale una [make toyota] [model prado] [year 2012]
        price|precio de [model civic] [year 2019]
        price|a como estan los [make hyundai] [model sonata] [year 2015]
        price|en cuanto sale una [body pasola] [condition nueva]
        price|cuanto valdra mi [make honda] [model accord] [year 2009]
        price|valor de mercado [make kia] [model k5] [year 2013]
        price|[price 900 mil] por una [model crv] [year 2015] es buen precio?
        price|es caro un [model corolla] [year 2014] en [price 750 mil]
        price|en q precio ta el [make mazda] [model cx-5] [year 2017]
        price|que precio tienen las [body camionetas] [model l200]
        price|por cuanto se vende un [make daihatsu] [model mira] [year 2012] en [place santiago]
        price|tasacion de mi [body carro]
        financing|se puede financiar un [make honda] [model civic] [year 2012]
        financing|cuanto pago mensual por una [body jeepeta] de [price 1 millon]
        financing|prestamo de vehiculo con mal credito
        financing|que tasa de interes tiene el banreservas para [body carros]
        financing|dan credito con [price 100 mil] de inicial?
        financing|requisitos para financiar [body carro] [condition usado]
        financing|[body carros] con financiamiento del dealer
        financing|calculadora de prestamos
        financing|cuanto me prestan si gano 35 mil
        financing|financian [body motores]?
        financing|quiero saber las cuotas a 60 meses
        financing|aceptan tarjeta de credito para el inicial
        sell|necesito vender mi [make toyota] [model corolla] [year 2009] rapido
        sell|cuanto cobran por publicar un vehiculo
        sell|quiero cambiar mi [body carro] por una [body jeepeta]
        sell|reciben mi [make kia] [model rio] como parte de pago?
        sell|donde puedo poner mi [body camioneta] a vender
        sell|subir fotos de mi vehiculo para venderlo
        sell|me compran mi [model sonata] [year 2011]?
        sell|quiero salir de mi [body yipeta]
        sell|como borro mi anuncio ya vendi el [body carro]
        sell|vendo o cambio [make nissan] [model frontier] [year 2011]
        sell|pongo en venta mi [body motor]
        dealer|dealers en [place santiago]
        dealer|cual es el numero de whatsapp del vendedor
        dealer|direccion del dealer en la [place churchill]
        dealer|ese dealer es confiable?
        dealer|estan abiertos los domingos
        dealer|me puede llamar alguien por favor
        dealer|el vendedor no me contesta
        dealer|dealer de [make toyota] en [place santo domingo]
        dealer|como llego donde ustedes
        dealer|sigue disponible la [model crv]?
        test_drive|puedo ir a verlo y probarlo mañana
        test_drive|quiero hacer un test drive de la [model tucson] [year 2021]
        test_drive|dejan manejar el [body carro] antes de comprarlo?
        test_drive|quiero dar una vuelta en el [make ford] [model mustang]
        test_drive|cita para ver la [body jeepeta] el sabado
        test_drive|se puede probar en [place santiago]?
        test_drive|reservar una prueba de la [make jeep] [model wrangler]
        test_drive|cuando puedo pasar a probar la [model hilux]
        after_sales|piezas de [make honda] [model fit] [year 2009]
        after_sales|cada que tiempo se le cambia el aceite a un [model corolla]
        after_sales|cuanto cuesta el traspaso en la dgii
        after_sales|renovar el marbete
        after_sales|seguro full para un [make kia] [model k5] [year 2015]
        after_sales|taller que arregle transmisiones en [place santo domingo oeste]
        after_sales|no me han entregado la matricula
        after_sales|luz de check engine en [model sentra] [year 2014]
        after_sales|aros 17 para [make toyota] [model camry]
        after_sales|quien me responde por la garantia del [body carro]
        after_sales|bateria de un [model prius] cuanto dura
        after_sales|papeles de importacion de un vehiculo
        other|klk
        other|buenos dias
        other|quien los hizo
        other|no puedo entrar a mi cuenta
        other|estan empleando gente?
        other|ok muchas gracias
        other|ustedes son de aqui
        other|quiero poner una queja de la pagina
        other|jajaja ta bien
        other|que hora es
        """;

    /// <summary>Those that were looked at while features were chosen.</summary>
    public static IReadOnlyList<TaggedQuery> Looked { get; } = [.. LookedLines.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(TaggedQuery.Read)];

    /// <summary>Those that only measure.</summary>
    public static IReadOnlyList<TaggedQuery> Final { get; } = [.. FinalLines.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(TaggedQuery.Read)];
}
